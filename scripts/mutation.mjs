import { setPriority } from 'node:os';
import { StrykerCli } from '@stryker-mutator/core';

// Minutes of work that nobody waits for.
setPriority(10);
new StrykerCli(['node', 'stryker', 'run', ...process.argv.slice(2)]).run();
