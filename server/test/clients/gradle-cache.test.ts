import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { FreshMachine } from '../support/clients.ts';
import { requireTool } from '../support/require-tool.ts';
import { ServerProcess } from '../support/server-process.ts';

const BUILD = `
@CacheableTask
class Shout extends DefaultTask {
  @Input String word
  @OutputFile File out = new File(project.buildDir, 'out.txt')
  @TaskAction void shout() { out.text = word.toUpperCase() }
}
task shout(type: Shout) { word = project.property('word') }
`;

let server: ServerProcess;
let gradle: string;
const machines: FreshMachine[] = [];

beforeAll(async () => {
  server = await ServerProcess.start('--defaults', 'false');
  await server.manage('POST', '/hosted', { name: 'builds', format: 'gradle-cache', max_artifact_size: '1MB' });
  await server.manage('POST', '/virtuals', { name: 'all-builds', format: 'gradle-cache', members: ['builds'] });
});
beforeEach((context) => {
  gradle = requireTool(context, 'gradle', 'apt-get install gradle');
});
afterEach(async () => {
  for (const machine of machines.splice(0)) await machine.remove();
});
afterAll(() => server?.stop());

interface Cache {
  readonly path?: string;
  /** Null: none. */
  readonly token?: string | null;
}

/** A build on a machine that has nothing yet: what Gradle said, and what it made. */
async function build(word: string, { path = 'builds/', token = server.token }: Cache = {}): Promise<[string, string]> {
  const machine = await FreshMachine.create();
  machines.push(machine);
  const credentials = token === null ? '' : `credentials { username = 'ci'; password = '${token}' }`;
  const remote = `remote(HttpBuildCache) { url = '${server.url}/${path}'; push = true; ${credentials} }`;
  await machine.write({
    'settings.gradle': `rootProject.name = 'walk'\nbuildCache { local { enabled = false }; ${remote} }\n`,
    'build.gradle': BUILD,
  });
  const said = await machine.succeed([
    gradle,
    '--no-daemon',
    '--build-cache',
    '--console=plain',
    '--info',
    `--gradle-user-home=${join(machine.home, 'gradle')}`,
    `-Duser.home=${machine.home}`,
    `-Pword=${word}`,
    'shout',
  ]);
  return [said, await readFile(join(machine.project, 'build', 'out.txt'), 'utf8')];
}

test.each(['builds/', 'builds/cache/'])('what one machine built at %s another takes from there', async (path) => {
  const word = `hello ${path}`;
  const [first, made] = await build(word, { path });
  expect([first.includes('FROM-CACHE'), made]).toEqual([false, word.toUpperCase()]);
  const [second, taken] = await build(word, { path });
  expect([second.includes('FROM-CACHE'), taken]).toEqual([true, made]);
  const [third, read] = await build(word, { path: 'all-builds/', token: null });
  expect([third.includes('FROM-CACHE'), read]).toEqual([true, made]);
});

test('every entry is kept with the type that Gradle gave it, and every one taken is on record', async () => {
  const { items } = await server.manage<{ items: { type: string; pulls: number }[] }>('GET', '/hosted/builds/objects');
  expect(items).toHaveLength(2);
  for (const { type, pulls } of items) {
    expect(type).toMatch(/^application\/vnd\.gradle\.build-cache-artifact\.v\d$/);
    expect(pulls).toBe(2);
  }
  for (const { client } of await server.pulls()) expect(client).toMatch(/^Gradle\//);
});

test.each([
  ['without a token', null],
  ['with a wrong one', 'entrepot_wrong'],
])('%s a build goes on, and writes nothing', async (_, token) => {
  const word = `quietly ${token}`;
  const [said, made] = await build(word, { token });
  expect(made).toBe(word.toUpperCase());
  expect(said).toContain('401');
  const [again] = await build(word);
  expect(again).not.toContain('FROM-CACHE');
});
