#!/usr/bin/env node
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

// Keeps a data folder of the program as it is now, for the test that later programs go on with it:
// node scripts/upgrade-fixture.mjs <name> [--program <the main.js of an earlier build>]
const maker = fileURLToPath(new URL('../server/test/upgrade/make-fixture.ts', import.meta.url));
const node = ['--experimental-transform-types', '--disable-warning=ExperimentalWarning'];
process.exitCode =
  spawnSync(process.execPath, [...node, maker, ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1;
