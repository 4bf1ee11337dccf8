#!/usr/bin/env node
import { existsSync } from 'node:fs';

const args = process.argv.slice(2);
const workspace = new URL('../../scripts/bootstrap/bootstrap.mjs', import.meta.url);

if (existsSync(workspace)) {
  const { bootstrap } = await import(workspace.href);
  await bootstrap('entrepot', args);
} else if (Number.parseInt(process.versions.node, 10) >= 24) {
  const cli = new URL('../dist/cli/main.js', import.meta.url);
  process.argv[1] = cli.pathname;
  await import(cli.href);
} else {
  process.stderr.write(`Entrepot needs Node 24 or newer; this is Node ${process.versions.node}.\n`);
  process.exitCode = 1;
}
