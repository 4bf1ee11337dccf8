import { readFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { FreshMachine, type Outcome, type Skippable } from '../support/clients.ts';
import { HostedRegistry } from '../support/hosted-registry.ts';
import { publish as publishUpstream } from '../support/npm-package.ts';

export interface PublishingClient {
  readonly title: string;
  /** The program and its first arguments; skips the test when there is none. */
  readonly command: (context: Skippable) => readonly string[];
  /** A folder to find programs in that it runs. */
  readonly beside?: (context: Skippable) => string;
  readonly env?: (machine: FreshMachine) => Readonly<Record<string, string>>;
  /** Files of a project that make it use the registry, as the owner of the token where there is one. */
  readonly settings: (registry: string, token: string) => Readonly<Record<string, string>>;
  /** Makes the project one that can be published. */
  readonly prepare?: readonly string[];
  readonly publish: readonly string[];
  readonly add: (spec: string) => readonly string[];
  /** What it says when the release is there with other bytes; default: our own sentence. */
  readonly conflict?: RegExp;
  /** Where it has commands for them. */
  readonly edits?: {
    readonly tag: (spec: string, tag: string) => readonly string[];
    readonly untag: (name: string, tag: string) => readonly string[];
    readonly tags: (name: string) => readonly string[];
    readonly deprecate: (spec: string, why: string) => readonly string[];
    readonly unpublish: (spec: string) => readonly string[];
    readonly view: (spec: string) => readonly string[];
  };
}

/** What every client that publishes to a hosted npm repository has to get done, in this order. */
export function publishingSuite(client: PublishingClient): void {
  describe(client.title, () => {
    let registry: HostedRegistry;
    let command: readonly string[];
    let beside: string | undefined;
    const machines: FreshMachine[] = [];

    beforeAll(async () => {
      registry = await HostedRegistry.start('npm');
    });
    beforeEach((context) => {
      command = client.command(context);
      beside = client.beside?.(context);
    });
    afterEach(async () => {
      for (const machine of machines.splice(0)) await machine.remove();
    });
    afterAll(() => registry?.stop());

    async function machineFor(
      manifest: Readonly<Record<string, unknown>>,
      files: Readonly<Record<string, string>>,
    ): Promise<FreshMachine> {
      const machine = await FreshMachine.create();
      machines.push(machine);
      await machine.write({ 'package.json': JSON.stringify(manifest), ...files });
      return machine;
    }

    function run(machine: FreshMachine, args: readonly string[]): Promise<Outcome> {
      const path = [...(beside === undefined ? [] : [beside]), process.env['PATH']].join(delimiter);
      return machine.run([...command, ...args], { PATH: path, ...client.env?.(machine) });
    }

    async function succeed(machine: FreshMachine, args: readonly string[]): Promise<string> {
      const { code, text } = await run(machine, args);
      expect([code, text]).toEqual([0, expect.anything()]);
      return text;
    }

    const owner = (): string => registry.server.token;

    async function publish(name: string, version: string, says = version, token = owner()): Promise<Outcome> {
      const machine = await machineFor(
        { name, version, main: 'index.js', license: 'MIT', description: 'Made here' },
        { 'index.js': `module.exports = ${JSON.stringify(says)};\n`, ...client.settings(registry.own, token) },
      );
      if (client.prepare) await succeed(machine, client.prepare);
      return run(machine, client.publish);
    }

    async function edit(args: readonly string[]): Promise<string> {
      const machine = await machineFor(
        { name: 'editor', version: '1.0.0', private: true },
        client.settings(registry.own, owner()),
      );
      return succeed(machine, args);
    }

    /** What the package says that a new machine gets from the virtual repository. */
    async function install(name: string, spec = name): Promise<Outcome> {
      const files = client.settings(registry.team, owner());
      const machine = await machineFor({ name: 'walk', version: '1.0.0', private: true }, files);
      const outcome = await run(machine, client.add(spec));
      if (outcome.code !== 0) return outcome;
      const index = join(machine.project, 'node_modules', name, 'index.js');
      return { code: 0, text: /"(.*)"/.exec(await readFile(index, 'utf8'))?.[1] ?? '' };
    }

    test.each(['walk-parts', '@acme/parts'])('publishes %s, and installs it through a virtual', async (name) => {
      expect(await publish(name, '1.0.0')).toMatchObject({ code: 0 });
      expect(await publish(name, '1.1.0')).toMatchObject({ code: 0 });
      expect(await install(name)).toEqual({ code: 0, text: '1.1.0' });
      expect(await install(name, `${name}@1.0.0`)).toEqual({ code: 0, text: '1.0.0' });
    });

    test('what is published wins over a public package of the same name with a higher version', async () => {
      const tarball = Buffer.from('not even a tarball');
      publishUpstream(registry.upstream, 'walk-parts', [{ version: '999.0.0', tarball }]);
      expect(await install('walk-parts')).toEqual({ code: 0, text: '1.1.0' });
      expect((await install('walk-parts', 'walk-parts@999.0.0')).code).not.toBe(0);
    });

    test('does not publish a release again with other bytes', async () => {
      const { code, text } = await publish('walk-parts', '1.1.0', 'other');
      expect(code).not.toBe(0);
      expect(text).toMatch(client.conflict ?? /published with other bytes|previously published|already exists/i);
      expect(await install('walk-parts')).toEqual({ code: 0, text: '1.1.0' });
    });

    test('does not publish without a token that is known, nor to a virtual', async () => {
      expect((await publish('walk-stranger', '1.0.0', 'x', 'entrepot_unknown')).code).not.toBe(0);
      expect((await fetch(`${registry.own}walk-stranger`)).status).toBe(404);
      registry.upstream.respond('/walk-astray', { status: 404, body: Buffer.from('{}') });
      const files = { 'index.js': '', ...client.settings(registry.team, owner()) };
      const machine = await machineFor({ name: 'walk-astray', version: '1.0.0' }, files);
      if (client.prepare) await succeed(machine, client.prepare);
      const { code, text } = await run(machine, client.publish);
      expect(code).not.toBe(0);
      expect(text).toMatch(/virtual repository|405/);
    });

    if (client.edits)
      test('moves, lists and removes tags', async () => {
        const { tag, untag, tags } = client.edits as NonNullable<PublishingClient['edits']>;
        await edit(tag('@acme/parts@1.0.0', 'stable'));
        expect(await edit(tags('@acme/parts'))).toMatch(/latest: 1\.1\.0\s+stable: 1\.0\.0/);
        expect(await install('@acme/parts', '@acme/parts@stable')).toEqual({ code: 0, text: '1.0.0' });
        await edit(untag('@acme/parts', 'stable'));
        expect(await edit(tags('@acme/parts'))).not.toContain('stable');
        expect((await install('@acme/parts', '@acme/parts@stable')).code).not.toBe(0);
      });

    if (client.edits)
      test('deprecates, and takes it back', async () => {
        const { deprecate, view } = client.edits as NonNullable<PublishingClient['edits']>;
        await edit(deprecate('walk-parts@1.0.0', 'use 1.1.0'));
        expect(JSON.parse(await edit(view('walk-parts@1.0.0'))).deprecated).toBe('use 1.1.0');
        expect(JSON.parse(await edit(view('walk-parts@1.1.0')))).not.toHaveProperty('deprecated');
        await edit(deprecate('walk-parts@1.0.0', ''));
        expect(JSON.parse(await edit(view('walk-parts@1.0.0')))).not.toHaveProperty('deprecated');
      });

    if (client.edits)
      test('unpublishes a release, and the whole package', async () => {
        const { unpublish, view } = client.edits as NonNullable<PublishingClient['edits']>;
        await edit(unpublish('walk-parts@1.1.0'));
        expect(JSON.parse(await edit(view('walk-parts')))).toMatchObject({ versions: ['1.0.0'] });
        expect(await install('walk-parts')).toEqual({ code: 0, text: '1.0.0' });
        const again = await publish('walk-parts', '1.1.0', 'other');
        expect([again.code === 0, again.text]).toEqual([false, expect.stringContaining('with other bytes')]);
        expect(await publish('walk-parts', '1.1.0')).toMatchObject({ code: 0 });
        expect(await install('walk-parts')).toEqual({ code: 0, text: '1.1.0' });

        await edit(unpublish('walk-parts'));
        const tarball = Buffer.from('public');
        publishUpstream(registry.upstream, 'walk-parts', [{ version: '999.0.0', tarball }]);
        expect((await install('walk-parts')).code).not.toBe(0);
      });
  });
}
