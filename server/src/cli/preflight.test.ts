import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { run } from './main.ts';
import type { Verdict } from './preflight.ts';

interface Question {
  readonly repository?: string;
  readonly pins: readonly string[];
}

let folder: string;
let server: Server;
let url: string;
let questions: { readonly path: string; readonly token: string | undefined; readonly question: Question }[];
/** What the server says; by default every pin is allowed. */
let answer: (question: Question) => { readonly status?: number; readonly body: unknown };

const allowed = ({ pins }: Question) => ({ body: { items: pins.map((purl): Verdict => ({ purl, allowed: true })) } });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrepot-preflight-'));
  server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    request.once('end', () => {
      const question = JSON.parse(text) as Question;
      questions.push({ path: `${request.method} ${request.url}`, token: request.headers.authorization, question });
      const { status = 200, body } = answer(question);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
  await rm(folder, { recursive: true, force: true });
});
beforeEach(() => {
  questions = [];
  answer = allowed;
});

async function preflight(...args: readonly string[]) {
  const [out, err]: [string[], string[]] = [[], []];
  const around = {
    env: { ENTREPOT_URL: url, ENTREPOT_TOKEN: 'token' },
    cwd: folder,
    home: folder,
    out: (text: string) => void out.push(text),
  };
  const code = await run(['preflight', ...args], around, (text) => void err.push(text));
  return { code, out: out.join(''), err: err.join('') };
}

const file = async (name: string, text: string): Promise<string> => {
  await writeFile(join(folder, name), text);
  return name;
};

const lock = () =>
  file(
    'package-lock.json',
    `{"lockfileVersion":3,"packages":{
"":{"dependencies":{"a":"1","mine":"1"}},
"node_modules/a":{"version":"1.0.0"},
"node_modules/mine":{"version":"1.0.0","resolved":"${url}/team-npm/mine/-/mine-1.0.0.tgz"},
"node_modules/x":{"version":"1.0.0","resolved":"https://elsewhere.test/npm/x/-/x-1.0.0.tgz"},
"packages/b":{"version":"1.0.0"}}}`,
  );

test('all pins allowed: 0, and what was not asked about is listed', async () => {
  const { code, out, err } = await preflight(await lock(), '--repository', 'team-npm');
  expect(err).toBe('');
  expect(out).toBe(
    [
      'NOT ASKED ABOUT  LINE  BECAUSE IT IS',
      'packages/b       6     a folder of this project',
      'x@1.0.0          5     from another registry, https://elsewhere.test/npm',
      '',
      'package-lock.json: 2 pins, 2 allowed, 0 refused; 2 not asked about',
      '',
    ].join('\n'),
  );
  expect(code).toBe(0);
  expect(questions).toEqual([
    {
      path: 'POST /api/v2/preflight',
      token: 'Bearer token',
      question: { repository: 'team-npm', pins: ['pkg:npm/a@1.0.0', 'pkg:npm/mine@1.0.0'] },
    },
  ]);
});

test('packages of another registry are asked about when it is named', async () => {
  await preflight('--registry', 'https://other.test', '--registry', 'https://elsewhere.test/npm/', await lock());
  expect(questions[0]?.question).toEqual({ pins: ['pkg:npm/a@1.0.0', 'pkg:npm/mine@1.0.0', 'pkg:npm/x@1.0.0'] });
});

const refuse = ({ pins: [first = '', ...others] }: Question) => ({
  body: {
    items: [
      ...others.map((purl) => ({ purl, allowed: true })),
      {
        purl: first,
        allowed: false,
        rule: 'cooldown "default"',
        reason: 'a 1.0.0 was published 2 days ago\u001b[2J',
        until: '2026-11-28T12:00:00Z',
        nearest: 'pkg:npm/a@0.9.0',
      },
    ],
  },
});

test('a refused pin: 1, with why, from when and what instead', async () => {
  answer = refuse;
  const { code, out } = await preflight(await lock());
  expect(code).toBe(1);
  expect(out).toMatch(/^WHAT +LINE +VERDICT +WHY +ADMISSIBLE FROM +INSTEAD\n/);
  expect(out).toMatch(
    /\npkg:npm\/a@1\.0\.0 +3 +refused +a 1\.0\.0 was published 2 days ago +2026-11-28T12:00:00Z +pkg:npm\/a@0\.9\.0\n/,
  );
  expect(out).toContain('package-lock.json: 2 pins, 1 allowed, 1 refused; 2 not asked about\n');
  expect(out).not.toContain('pkg:npm/mine');
  expect((await preflight(await lock(), '--all')).out).toMatch(/\npkg:npm\/mine@1\.0\.0 +4 +allowed +- +- +-\n/);
});

test('--json gives everything to a program, with the same exit code', async () => {
  answer = refuse;
  const { code, out } = await preflight(await lock(), '--json');
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    file: 'package-lock.json',
    kind: 'npm',
    refused: 1,
    items: [
      { purl: 'pkg:npm/a@1.0.0', line: 3, direct: true, allowed: false, nearest: 'pkg:npm/a@0.9.0' },
      { purl: 'pkg:npm/mine@1.0.0', line: 4, direct: true, allowed: true },
    ],
    skipped: [{ what: 'packages/b' }, { what: 'x@1.0.0' }],
  });
});

test('many pins are asked about in several requests', async () => {
  const many = Array.from({ length: 20_000 }, (_, index) => `${'x'.repeat(40)}${index}==1.0`);
  const { code, out } = await preflight(await file('requirements.txt', many.join('\n')));
  expect(code).toBe(0);
  expect(out).toBe('requirements.txt: 20000 pins, 20000 allowed, 0 refused\n');
  expect(questions.length).toBeGreaterThan(1);
  for (const { question } of questions) expect(JSON.stringify(question).length).toBeLessThan(1024 * 1024);
});

test('a lock file without any pin asks nothing', async () => {
  expect(await preflight(await file('empty.txt', 'g:a:jar:1\n'), '--kind', 'maven-tree')).toEqual({
    code: 0,
    out: 'empty.txt: 0 pins, 0 allowed, 0 refused\n',
    err: '',
  });
  expect(questions).toEqual([]);
});

test.each<readonly [what: string, body: unknown, status: number, words: string]>([
  [
    'says nothing about a pin',
    { items: [{ purl: 'pkg:npm/a@1.0.0', allowed: true }] },
    200,
    'said nothing about pkg:npm/mine@1.0.0',
  ],
  [
    'does not say whether it is allowed',
    { items: [{ purl: 'pkg:npm/a@1.0.0' }] },
    200,
    'said nothing about pkg:npm/a@1.0.0',
  ],
  ['answers something else', [], 200, 'the answer has no "items"'],
  ['answers nothing', null, 200, 'the answer has no "items"'],
  ['refuses the request', { detail: 'there is no repository called "x"' }, 404, 'there is no repository called "x"'],
  ['fails', 'oops', 500, 'answered 500'],
])('a server that %s: 2', async (_what, body, status, words) => {
  answer = () => ({ status, body });
  const { code, out, err } = await preflight(await lock());
  expect(code).toBe(2);
  expect(err).toContain(words);
  expect(out).toBe('');
});

test('what cannot be read: 2, one line, and nothing is asked', async () => {
  await file('package-lock.json', '{"packages":\n');
  await writeFile(join(folder, 'yarn.lock'), Buffer.from([0xff, 0xfe, 0x41, 0x00]));
  for (const [args, words] of [
    [['package-lock.json'], 'entrepot: package-lock.json:2: is not JSON: value expected\n'],
    [['yarn.lock'], 'entrepot: yarn.lock is not UTF-8 text\n'],
    [['none.lock'], 'entrepot: none.lock cannot be read (ENOENT)\n'],
    [['.'], 'entrepot: . is no file\n'],
    [['package-lock.json', '--kind', 'what'], 'Allowed choices are npm, pnpm'],
    [[], "missing required argument 'lock file'"],
  ] as const) {
    const { code, err } = await preflight(...args);
    expect(err).toContain(words);
    expect(code).toBe(2);
  }
  expect(questions).toEqual([]);
});

test('no server: 2', async () => {
  const { code, err } = await preflight(await lock(), '--url', 'http://127.0.0.1:1');
  expect(code).toBe(2);
  expect(err).toContain('there is no answer from http://127.0.0.1:1');
});
