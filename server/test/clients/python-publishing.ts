import { createHash } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FreshMachine, type Outcome, type Skippable } from '../support/clients.ts';
import { HostedRegistry } from '../support/hosted-registry.ts';
import { makePythonPackage } from '../support/python-package.ts';

export interface PythonPublisher {
  readonly title: string;
  /** The program and its first arguments; skips the test when there is none. */
  readonly command: (context: Skippable) => readonly string[];
  readonly env?: (command: readonly string[]) => Readonly<Record<string, string>>;
  /** Publishes what is in `dist/`. */
  readonly publish: (address: string, token: string) => readonly string[];
  /** The same, having looked at the index for what is there already. */
  readonly publishMissing?: (address: string, token: string, index: string) => readonly string[];
}

const NAME = 'Walk.Parts';
const PROJECT = 'walk-parts';

interface Page {
  readonly versions: readonly string[];
  readonly files: readonly {
    readonly filename: string;
    readonly hashes: { readonly sha256: string };
    readonly size: number;
    readonly 'upload-time': string;
    readonly 'requires-python': string;
    readonly 'core-metadata'?: { readonly sha256: string };
  }[];
}

/** What every client that publishes to a hosted PyPI repository has to get done, in this order. */
export function pythonPublishingSuite(client: PythonPublisher): void {
  describe(client.title, () => {
    let registry: HostedRegistry;
    let command: readonly string[];
    const machines: FreshMachine[] = [];

    beforeAll(async () => {
      registry = await HostedRegistry.start('pypi');
    });
    beforeEach((context) => {
      command = client.command(context);
    });
    afterEach(async () => {
      for (const machine of machines.splice(0)) await machine.remove();
    });
    afterAll(() => registry?.stop());

    async function fresh(): Promise<FreshMachine> {
      const machine = await FreshMachine.create();
      machines.push(machine);
      return machine;
    }

    interface Upload {
      readonly version: string;
      readonly says?: string;
      readonly token?: string;
      readonly to?: string;
    }

    async function publish({ version, says, token, to }: Upload): Promise<Outcome> {
      const machine = await fresh();
      await makePythonPackage(machine, NAME, version, says);
      const address = to ?? `${registry.own}legacy/`;
      const known = token ?? registry.server.token;
      return machine.run([...command, ...client.publish(address, known)], client.env?.(command));
    }

    /** What the package says that pip gets from the virtual repository. */
    async function install(spec: string): Promise<Outcome> {
      const machine = await fresh();
      const env = { PIP_CONFIG_FILE: '/dev/null', PIP_INDEX_URL: `${registry.team}simple/`, PIP_NO_CACHE_DIR: '1' };
      const pip = ['python3', '-m', 'pip', 'install', '--no-deps', '--only-binary', ':all:', '--target', 'here', spec];
      const outcome = await machine.run(pip, env);
      if (outcome.code !== 0) return outcome;
      const says = [
        'python3',
        '-c',
        "import sys; sys.path.insert(0, 'here'); import walk_parts; print(walk_parts.says)",
      ];
      return { code: 0, text: (await machine.succeed(says)).trim() };
    }

    async function page(): Promise<Page> {
      const headers = { accept: 'application/vnd.pypi.simple.v1+json' };
      const answer = await fetch(`${registry.own}simple/${PROJECT}/`, { headers });
      expect(answer.status).toBe(200);
      return (await answer.json()) as Page;
    }

    test('publishes wheel and source distribution, and pip installs them through a virtual', async () => {
      expect(await publish({ version: '1.0' })).toMatchObject({ code: 0 });
      expect(await publish({ version: '1.1' })).toMatchObject({ code: 0 });
      expect(await install(PROJECT)).toEqual({ code: 0, text: '1.1' });
      expect(await install('walk.parts==1.0')).toEqual({ code: 0, text: '1.0' });
    });

    test('the page has times, sizes and hashes, and a wheel its metadata', async () => {
      const { versions, files } = await page();
      expect(versions).toEqual(['1.0', '1.1']);
      expect(files).toHaveLength(4);
      for (const file of files) {
        expect(Math.abs(Date.parse(file['upload-time']) - Date.now())).toBeLessThan(600_000);
        expect(file['requires-python']).toBe('>=3.8');
        const answer = await fetch(`${registry.own}packages/${PROJECT}/${file.filename}`);
        const bytes = Buffer.from(await answer.arrayBuffer());
        expect([bytes.length, sha256(bytes)]).toEqual([file.size, file.hashes.sha256]);
        if (!file.filename.endsWith('.whl')) continue;
        const metadata = await (await fetch(`${registry.own}packages/${PROJECT}/${file.filename}.metadata`)).text();
        expect(metadata).toContain(`Name: ${NAME}\n`);
        expect(sha256(metadata)).toBe(file['core-metadata']?.sha256);
      }
      const html = await (await fetch(`${registry.own}simple/${PROJECT}/`)).text();
      for (const { filename, hashes } of files) expect(html).toContain(`${filename}#sha256=${hashes.sha256}`);
      expect(await (await fetch(`${registry.own}simple/`)).text()).toContain(`>${PROJECT}</a>`);
    });

    test('what is published wins over a public project of the same name with a higher version', async () => {
      const file = { filename: 'walk_parts-999-py3-none-any.whl', url: 'https://upstream.test/x.whl', hashes: {} };
      const body = { meta: { 'api-version': '1.0' }, name: PROJECT, files: [file] };
      registry.upstream.respond(`/simple/${PROJECT}/`, {
        body: Buffer.from(JSON.stringify(body)),
        headers: { 'content-type': 'application/vnd.pypi.simple.v1+json' },
      });
      expect(await install(PROJECT)).toEqual({ code: 0, text: '1.1' });
      expect((await install(`${PROJECT}==999`)).code).not.toBe(0);
    });

    test('publishes the same again, but not other bytes', async () => {
      const before = await page();
      const machine = await fresh();
      await makePythonPackage(machine, NAME, '1.2');
      const args = client.publish(`${registry.own}legacy/`, registry.server.token);
      for (const _ of [1, 2])
        expect(await machine.run([...command, ...args], client.env?.(command))).toMatchObject({ code: 0 });
      const { code, text } = await publish({ version: '1.1', says: 'other' });
      expect(code).not.toBe(0);
      expect(text).toMatch(/already exists|409/i);
      expect(await install(`${PROJECT}==1.1`)).toEqual({ code: 0, text: '1.1' });
      expect((await page()).files.filter(({ filename }) => !filename.includes('1.2'))).toEqual(before.files);
    });

    if (client.publishMissing)
      test('passes over what is there', async () => {
        const machine = await fresh();
        await makePythonPackage(machine, NAME, '1.3');
        const { token } = registry.server;
        const args = client.publishMissing?.(`${registry.own}legacy/`, token, `${registry.own}simple/`) ?? [];
        for (const _ of [1, 2])
          expect(await machine.run([...command, ...args], client.env?.(command))).toMatchObject({ code: 0 });
      });

    test('does not publish without a token that is known, nor to a virtual', async () => {
      const stranger = await publish({ version: '2.0', token: 'entrepot_unknown' });
      expect([stranger.code === 0, stranger.text]).toEqual([false, expect.stringContaining('401')]);
      const astray = await publish({ version: '2.0', to: `${registry.team}legacy/` });
      expect([astray.code === 0, astray.text]).toEqual([false, expect.stringMatching(/405|virtual repository/)]);
      expect((await page()).versions).not.toContain('2.0');
    });
  });
}

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
