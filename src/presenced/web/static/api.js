// Asking the server. What changes something carries a header that no form of another site can send.

/** A request that was refused; `status` is 0 if the server was not reached. */
export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Ask for JSON. Raises Refusal. */
export async function ask(path, { method = 'GET', body, signal } = {}) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      signal,
      credentials: 'same-origin',
      cache: 'no-store',
      headers: method === 'GET' ? {} : { 'Content-Type': 'application/json', 'X-Presenced-Board': '1' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Refusal(0, 'The server cannot be reached.');
  }
  if (answer.status === 204) return null;
  const said = await answer.json().catch(() => null);
  if (!answer.ok) throw new Refusal(answer.status, said?.error ?? `The server answered ${answer.status}.`);
  return said;
}
