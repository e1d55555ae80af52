// Time as the server has it, which may stand still or be another than this machine's, and how it is written.

let base = Date.now() / 1000;
let heard = performance.now();
let standing = false;

/** The server has said its time (seconds since 1970). */
export function hear(now, frozen = standing) {
  base = now;
  heard = performance.now();
  standing = frozen;
}

/** The server's time now, in seconds since 1970. */
export function now() {
  return standing ? base : base + (performance.now() - heard) / 1000;
}

/** Whether the server's clock stands still. */
export function frozen() {
  return standing;
}

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

/** A length of time in seconds: 40 s, 12 min, 3 h 20 min, 2 d 4 h. */
export function length(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 && hours < 10 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  const days = Math.floor(hours / 24);
  return hours % 24 && days < 7 ? `${days} d ${hours % 24} h` : `${days} d`;
}

/** For how long something holds already, without seconds that would change all the time. */
export function ago(at) {
  const passed = now() - at;
  return passed < 60 ? 'just now' : length(passed);
}

/** An instant: the time of day, with the day if that is another. */
export function instant(at) {
  const date = new Date(at * 1000);
  const today = new Date(now() * 1000).toDateString() === date.toDateString();
  return today ? clock.format(date) : `${day.format(date)} ${clock.format(date)}`;
}

/** An instant in full. */
export function exactly(at) {
  return full.format(new Date(at * 1000));
}

/** An instant as machines read it. */
export function iso(at) {
  return new Date(at * 1000).toISOString();
}
