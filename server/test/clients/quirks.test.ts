import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { QuirkyProxy } from '../support/quirky-proxy.ts';
import { requireTool } from '../support/require-tool.ts';
import { ServerProcess } from '../support/server-process.ts';
import type { Held, Machine, Origin, QuirkyClient } from './quirky-client.ts';
import { buildah, ctr, skopeo } from './quirky-containers.ts';
import { apt } from './quirky-debian.ts';
import { cargo, go, gradle, mvn } from './quirky-packages.ts';

/** Two at a time: those that work for long beside those that wait for long. */
const LANES: readonly Readonly<Record<string, QuirkyClient>>[] = [
  { mvn, gradle },
  { cargo, go, skopeo, buildah, ctr, apt },
];

/** Of a checksum database: which of them the go command asks for depends on what it has first. */
const PARTIAL_TILE = /^sumdb\/.+\.p\/\d+$/;

/** What the servers meet: each has a remote for every client, and has seen nothing of what the others have. */
type Weather = 'calm' | 'passing' | 'lasting';

let servers: Readonly<Record<Weather, ServerProcess>>;

beforeAll(async () => {
  const start = () => ServerProcess.start('--defaults', 'false');
  const [calm, passing, lasting] = await Promise.all([start(), start(), start()]);
  servers = { calm, passing, lasting };
});
afterAll(async () => {
  for (const server of Object.values(servers ?? {})) await server.stop();
});

describe.concurrent.each(LANES.map((clients) => ({ clients, names: Object.keys(clients).join(', ') })))(
  '$names',
  ({ clients }) => {
    for (const [name, client] of Object.entries(clients))
      describe(name, { concurrent: false }, () => suiteOf(name, client));
  },
);

function suiteOf(name: string, client: QuirkyClient): void {
  const tools = new Map<string, string>();
  const tool = (program: string) => tools.get(program) as string;
  let origin: Origin;
  let proxy: QuirkyProxy;
  /** What the client and the server have when nothing is wrong. */
  let whole: { readonly client: Held; readonly server: Held };
  const machines: Machine[] = [];

  async function mirror(weather: Weather): Promise<void> {
    const { format } = client;
    const remote = { name, format, url: proxy.url, allow_private_network: true, index_ttl: '0' };
    await servers[weather].manage('POST', '/remotes', remote);
  }

  async function fresh(weather: Weather): Promise<Machine> {
    const machine = await client.fresh(`${servers[weather].url}/${name}`, tool);
    machines.push(machine);
    return machine;
  }

  async function built(machine: Machine): Promise<Held> {
    const { code, text } = await machine.build();
    if (code !== 0) throw new Error(`It ended with ${code}:\n${text}`);
    return machine.has();
  }

  async function objects(weather: Weather): Promise<Held> {
    const rows = await servers[weather].objects(name);
    const whole = rows.filter(({ path }) => !PARTIAL_TILE.test(path));
    return Object.fromEntries(whole.map(({ path, digest }) => [path, digest]));
  }

  beforeEach(async (context) => {
    for (const [program, how] of Object.entries(client.needs)) tools.set(program, requireTool(context, program, how));
    if (proxy) return;
    origin = await client.upstream(tool);
    proxy = await QuirkyProxy.start(origin.url);
    await mirror('calm');
    whole = { client: await built(await fresh('calm')), server: await objects('calm') };
    for (const held of Object.values(whole)) expect(held).not.toEqual({});
  });
  afterEach(async () => {
    for (const machine of machines.splice(0)) await machine.remove();
  });
  afterAll(async () => {
    await proxy?.stop();
    await origin?.stop();
  });

  test('gets the same bytes through faults that pass', async () => {
    proxy.rules(...client.passing);
    await mirror('passing');
    expect(await built(await fresh('passing'))).toEqual(whole.client);
    expect(await objects('passing')).toEqual(whole.server);
    expect(proxy.unmet).toEqual([]);
  });

  test('gets the same bytes again while the upstream answers everything with an error', async () => {
    proxy.rules({ paths: /^/, quirk: { kind: 'status', status: 500 } });
    expect(await built(await fresh('passing'))).toEqual(whole.client);
    expect(await objects('passing')).toEqual(whole.server);
    expect(proxy.unmet).toEqual([]);
  });

  test('says what is wrong with a file as long as it is, and nothing of it stays', async () => {
    await mirror('lasting');
    const machine = await fresh('lasting');
    for (const faults of client.lasting) {
      proxy.rules(...faults.map(({ rule }) => rule));
      const { code, text } = await machine.build();
      expect(code).not.toBe(0);
      for (const { says } of faults) expect(text).toMatch(says);
      expect(proxy.unmet).toEqual([]);
      expect(whole.client).toMatchObject(await machine.has());
      expect(whole.server).toMatchObject(await objects('lasting'));
    }
    proxy.rules();
    expect(await built(machine)).toEqual(whole.client);
    expect(await objects('lasting')).toEqual(whole.server);
  });
}
