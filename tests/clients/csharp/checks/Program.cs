// The checks of Microsoft.Graph, by the contract in ../README.md.
var known = GraphChecks.All;
var unknown = args.Where(name => !known.ContainsKey(name)).ToList();
if (unknown.Count > 0)
{
    Console.Error.WriteLine($"unknown: {string.Join(' ', unknown)}; known are {string.Join(' ', known.Keys)}");
    return 2;
}
var failed = false;
foreach (var name in args.Length > 0 ? args : [.. known.Keys])
{
    try
    {
        await known[name]();
        Console.WriteLine($"ok {name}");
    }
    catch (Exception error)
    {
        failed = true;
        Console.Error.WriteLine(error);
        var reason = string.Join(' ', $"{error.GetType().Name}: {error.Message}".Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        Console.WriteLine($"not ok {name}: {reason[..Math.Min(300, reason.Length)]}");
    }
}
return failed ? 1 : 0;
