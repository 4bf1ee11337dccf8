import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from '../src/cli/main.ts';
import { FakeUpstream } from './support/fake-upstream.ts';
import { publish } from './support/npm-package.ts';
import { TestServer } from './support/test-server.ts';

const DAY = 86_400_000;

let upstream: FakeUpstream;
let server: TestServer;
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'entrepot-home-'));
  upstream = await FakeUpstream.start();
  server = await TestServer.start();
  const at = new Date(Date.now() - 2 * DAY).toISOString();
  publish(upstream, 'young', [{ version: '1.0.0', tarball: randomBytes(100), at }]);
  publish(upstream, 'blocked', [{ version: '1.0.0', tarball: randomBytes(100), at }]);
  await server.remote('npm', 'npm', upstream.url);
  await server.put('/api/v2/blocks/bad', { name: 'bad', packages: ['pkg:npm/blocked'], reason: 'It steals.' });
  for (const name of ['young', 'blocked'])
    await server.raw(`/npm/${name}/-/${name}-1.0.0.tgz`, { headers: { 'x-entrepot-consumer': 'ci/7' } });
});
afterAll(async () => {
  await server.stop();
  await upstream.stop();
  await rm(home, { recursive: true, force: true });
});

async function cli(...args: string[]) {
  const [out, err, progress]: [string[], string[], string[]] = [[], [], []];
  const around = {
    env: { ENTREPOT_URL: server.url, ENTREPOT_TOKEN: server.token },
    cwd: home,
    home,
    out: (text: string) => void out.push(text),
    progress: (text: string) => void progress.push(text),
  };
  const code = await run(args, around, (text) => void err.push(text));
  return { code, out: out.join(''), err: err.join(''), progress };
}

test('simulate tells which pulls proposed rules would have refused, and ends with 1 then', async () => {
  const week = '- kind: cooldown\n  name: week\n  spec: { default: 7d }\n';
  await writeFile(join(home, 'rules.yaml'), week);
  const { code, out, progress } = await cli('simulate', 'rules.yaml');
  expect(code).toBe(1);
  expect(out).toMatch(/^WOULD BE REFUSED +PULLS +CONSUMERS +RULE +WHY\npkg:npm\/young@1\.0\.0 +1 +1 +cooldown\/week /);
  expect(out).toMatch(/^ci\/7 +anonymous +1 +1$/m);
  expect(out).toMatch(/2 pulls since \S+: 1 would be refused, 0 more admitted, 0 held versions released\n$/);
  expect(progress).toEqual(['2 of 2 pulls', '']);
});

test('simulate without what would go says what that releases, and ends with 0', async () => {
  const { code, out } = await cli('simulate', '--remove', 'block/bad');
  expect(code).toBe(0);
  expect(out).toMatch(/^WOULD BE ADMITTED .*\npkg:npm\/blocked@1\.0\.0 +1 +1 +block\/bad /);
  expect(out).toMatch(/^pkg:npm\/blocked@1\.0\.0 +npm +block\/bad$/m);
  const json = JSON.parse((await cli('--json', 'simulate', '--remove', 'block/bad')).out);
  expect(json).toMatchObject({ refused: { pulls: 0 }, admitted: { pulls: 1 } });
});

test.each([
  ['wrong.json', '[{"kind":"cooldown","name":"x","spec":{"default":"7"}}]', 'default "7" is not a duration'],
  ['wrong.yaml', '{', 'wrong.yaml is neither JSON nor YAML'],
  ['text.yaml', 'words', 'text.yaml has no rules'],
  ['gone.yaml', undefined, 'gone.yaml cannot be read'],
])('simulate of %s says what is wrong and ends with 2', async (file, text, words) => {
  if (text !== undefined) await writeFile(join(home, file), text);
  const { code, out, err } = await cli('simulate', file);
  expect([code, out]).toEqual([2, '']);
  expect(err).toContain(words);
});

test('decisions lists what rules decided, and shows one in full', async () => {
  const { out } = await cli('decisions');
  const [, id] = /^\S+ +pkg:npm\/blocked@1\.0\.0 +refused +block\/bad +ci\/7 +(\S{36})$/m.exec(out) ?? [];
  expect(id).toBeDefined();
  const one = await cli('decisions', String(id));
  expect(one.out).toContain('rule: block/bad');
  expect(one.out).toContain('It steals');
  expect((await cli('decisions', '--decision', 'observed')).out.trimEnd().split('\n')).toHaveLength(1);
  expect(await cli('decisions', 'nonsense')).toMatchObject({ code: 1 });
});
