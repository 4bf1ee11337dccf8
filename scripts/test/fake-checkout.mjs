import { spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SCRIPTS = fileURLToPath(new URL('..', import.meta.url));

/** What "npm" leaves: its record of the tree, a compiler whose server says how it was started, and a bundled Node. */
const NPM = `#!${process.execPath}
const { appendFileSync, copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync, chmodSync } = require('node:fs');
appendFileSync('calls', 'npm ' + process.argv[2] + '\\n');
if (existsSync('npm-says')) {
  process.stderr.write(readFileSync('npm-says', 'utf8'));
  process.exit(1);
}
setTimeout(() => {
  mkdirSync('node_modules/typescript/bin', { recursive: true });
  copyFileSync('tsc.cjs', 'node_modules/typescript/bin/tsc');
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  delete packages[''];
  writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages }));
  const bundled = 'node_modules/node-' + process.platform + '-' + process.arch + '/bin';
  mkdirSync(bundled, { recursive: true });
  writeFileSync(bundled + '/node', '#!/bin/sh\\nBUNDLED=yes exec ${process.execPath} "$@"\\n');
  chmodSync(bundled + '/node', 0o755);
}, 300);
`;

const COMPILER = `
const { appendFileSync, cpSync, existsSync, readFileSync } = require('node:fs');
appendFileSync('calls', 'tsc\\n');
if (readFileSync('server/src/app/main.js', 'utf8').includes('MISTAKE')) {
  console.log('main.ts(1,1): error TS1: a mistake');
  process.exit(2);
}
cpSync('server/src', 'server/dist', { recursive: true });
`;

const SERVER = `
process.on('SIGTERM', () => process.exit(7));
console.log(JSON.stringify({ args: process.argv.slice(2), bundled: process.env.BUNDLED === 'yes' }));
if (process.argv.includes('--stay')) setInterval(() => {}, 1000);
`;

/** A checkout in a temporary folder, with the real bootstrap and an npm and a compiler that only note that they ran. */
export class FakeCheckout {
  root = mkdtempSync(join(tmpdir(), 'entrepot-checkout-'));

  constructor() {
    cpSync(join(SCRIPTS, 'bootstrap'), join(this.root, 'scripts/bootstrap'), { recursive: true });
    cpSync(join(SCRIPTS, 'bootstrap.mjs'), join(this.root, 'scripts/bootstrap.mjs'));
    this.write('package.json', JSON.stringify({ dependencies: { a: '1' } }));
    this.lock('1.0.0');
    this.write('tsc.cjs', COMPILER);
    this.write('server/src/app/main.js', SERVER);
    this.write('bin/npm', NPM);
    chmodSync(join(this.root, 'bin/npm'), 0o755);
  }

  /** @param {string} path */
  write(path, text) {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), text);
  }

  /** @param {string} path */
  has(path) {
    return existsSync(join(this.root, path));
  }

  /** A lock file with one package of that version. */
  lock(version, dependencies = { a: '1' }) {
    this.write(
      'package-lock.json',
      JSON.stringify({ packages: { '': { dependencies }, 'node_modules/a': { version } } }),
    );
  }

  /** What ran since the last time it was asked. */
  calls() {
    const path = join(this.root, 'calls');
    const lines = existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : [];
    rmSync(path, { force: true });
    return lines;
  }

  /**
   * @param {string[]} args
   * @param {{ pretend?: string }} [options] `pretend`: code that runs in Node before anything else
   */
  start(args, { pretend } = {}) {
    const inherited = Object.entries(process.env).filter(([name]) => !/^(npm_|NODE)/i.test(name));
    /** @type {NodeJS.ProcessEnv} */
    const env = { ...Object.fromEntries(inherited), PATH: [join(this.root, 'bin'), process.env.PATH].join(delimiter) };
    if (pretend) env.NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(pretend)}`;
    const child = spawn(process.execPath, [join(this.root, 'scripts/bootstrap.mjs'), ...args], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new Running(child);
  }

  remove() {
    rmSync(this.root, { recursive: true, force: true });
  }
}

class Running {
  out = '';
  err = '';

  constructor(child) {
    this.child = child;
    child.stdout.setEncoding('utf8').on('data', (text) => {
      this.out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      this.err += text;
    });
    this.ended = new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal })));
  }

  /** What the started server says of itself; undefined when it did not start. */
  get server() {
    return this.out === '' ? undefined : JSON.parse(this.out);
  }

  async said(text) {
    while (!this.out.includes(text)) await new Promise((resolve) => this.child.stdout.once('data', resolve));
  }
}
