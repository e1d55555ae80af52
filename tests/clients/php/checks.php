<?php

// The checks of microsoft/microsoft-graph, by the contract in ../README.md.

require __DIR__ . '/vendor/autoload.php';
require __DIR__ . '/connection.php';
require __DIR__ . '/graph_checks.php';

$known = graphChecks();
$asked = array_slice($argv, 1);
$unknown = array_diff($asked, array_keys($known));
if ($unknown) {
    fwrite(STDERR, 'unknown: ' . implode(' ', $unknown) . '; known are ' . implode(' ', array_keys($known)) . "\n");
    exit(2);
}
$failed = false;
foreach ($asked ?: array_keys($known) as $name) {
    try {
        $known[$name]();
        echo "ok $name\n";
    } catch (Throwable $thrown) {
        $failed = true;
        fwrite(STDERR, "$thrown\n");
        $reason = get_class($thrown) . ': ' . preg_replace('/\s+/', ' ', $thrown->getMessage());
        echo "not ok $name: " . substr($reason, 0, 300) . "\n";
    }
}
exit($failed ? 1 : 0);
