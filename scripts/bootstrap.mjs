#!/usr/bin/env node
import { bootstrap } from './bootstrap/bootstrap.mjs';

await bootstrap(process.argv[2], process.argv.slice(3));
