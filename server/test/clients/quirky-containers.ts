import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FreshMachine } from '../support/clients.ts';
import { containerMachine } from '../support/container-machine.ts';
import { DockerRegistry } from '../support/docker-registry.ts';
import { type Image, imageOf } from '../support/oci-image.ts';
import { Program } from '../support/program.ts';
import type { ProxyQuirk } from '../support/quirky-proxy.ts';
import {
  BUSY,
  CUT,
  cutOff,
  DROP,
  filesOf,
  first,
  loginPage,
  type Origin,
  otherwise,
  type QuirkyClient,
  REDIRECT,
  SLOW,
  TOO_MANY,
} from './quirky-client.ts';

async function registryWith(name: string, program: string): Promise<Origin> {
  const registry = await DockerRegistry.start(program);
  await registry.push(`acme/${name}`, 'v1', imageOf(name));
  return registry;
}

const blobOf = (image: Image, at: number) => new RegExp(`/blobs/${image.blobs[at]?.digest}$`);

interface OfContainers extends Pick<QuirkyClient, 'fresh' | 'needs'> {
  /** Faults of a layer that pass, besides those of every client's. */
  readonly passing?: readonly ProxyQuirk[];
  /** What it says of a web page in place of a layer, and of half a layer. */
  readonly says: readonly [page: RegExp, half: RegExp];
}

/** Its image is called like the client. */
function containers(name: string, { fresh, needs, passing = [], says: [page, half] }: OfContainers): QuirkyClient {
  const image = imageOf(name);
  const layer = blobOf(image, 2);
  return {
    format: 'oci',
    needs: { ...needs, 'docker-registry': 'apt-get install docker-registry' },
    upstream: (tool) => registryWith(name, tool('docker-registry')),
    fresh,
    passing: [
      first(/\/manifests\/v1$/, BUSY),
      first(/\/manifests\/sha256:/, DROP),
      first(blobOf(image, 0), TOO_MANY),
      first(blobOf(image, 1), SLOW),
      ...[REDIRECT, ...passing].map((quirk) => first(layer, quirk)),
      otherwise('no_validators', /\/manifests\//),
      otherwise('changing_etag'),
    ],
    lasting: [
      [loginPage(/\/manifests\//, /manifest \S+ is markup, perhaps an error or login page/)],
      [loginPage(layer, page)],
      [cutOff(layer, half)],
    ],
  };
}

/** `http://127.0.0.1:8080/hub` → `127.0.0.1:8080/hub` */
const withoutScheme = (url: string) => url.replace(/^http:\/\//, '');

/** What the answer says of a layer is not shown. Half of it has a status when it breaks off before anything was passed on. */
const NO_WORDS = [/502 \(Bad Gateway\)/, /unexpected EOF|502 \(Bad Gateway\)/] as const;

export const skopeo = containers('skopeo', {
  needs: { skopeo: 'apt-get install skopeo' },
  says: NO_WORDS,
  async fresh(repository, tool) {
    const machine = await containerMachine();
    const from = `docker://${withoutScheme(repository)}/acme/skopeo:v1`;
    return {
      build: () => machine.run([tool('skopeo'), 'copy', '--src-tls-verify=false', from, 'oci:copy:v1']),
      has: () => filesOf(join(machine.project, 'copy/blobs'), /[0-9a-f]{64}$/),
      remove: () => machine.remove(),
    };
  },
});

export const buildah = containers('buildah', {
  needs: { buildah: 'apt-get install buildah' },
  says: NO_WORDS,
  async fresh(repository, tool) {
    const machine = await containerMachine(`[[registry]]\nlocation = "${new URL(repository).host}"\ninsecure = true\n`);
    const kept = [`--root=${machine.home}/images`, `--runroot=${machine.home}/run`, '--storage-driver=vfs'];
    return {
      build: () => machine.run([tool('buildah'), ...kept, 'pull', `${withoutScheme(repository)}/acme/buildah:v1`]),
      /** Digests of manifests by the IDs of images, which are the digests of their configurations. */
      async has() {
        const buildah = (...args: readonly string[]) => machine.succeed([tool('buildah'), ...kept, ...args]);
        const ids = (await buildah('images', '--quiet', '--no-trunc')).split('\n').filter(Boolean);
        const digest = async (id: string) =>
          (await buildah('inspect', '--type=image', '--format={{.FromImageDigest}}', id)).trim();
        return Object.fromEntries(await Promise.all(ids.map(async (id) => [id, await digest(id)])));
      },
      remove: () => machine.remove(),
    };
  },
});

export const ctr = containers('ctr', {
  needs: { ctr: 'apt-get install containerd', containerd: 'apt-get install containerd' },
  passing: [CUT],
  says: [/sent a web page in place of \S+: is there a login/, /unexpected EOF|broke off in the middle of a body/],
  async fresh(repository, tool) {
    const machine = await FreshMachine.create();
    // The path of a socket is short.
    const folder = await mkdtemp(join(tmpdir(), 'ctr-'));
    const socket = join(folder, 's');
    const settings = [
      'version = 2',
      `root = "${join(folder, 'root')}"`,
      `state = "${join(folder, 'state')}"`,
      'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
      `[grpc]\naddress = "${socket}"`,
    ];
    await writeFile(join(folder, 'config.toml'), `${settings.join('\n')}\n`);
    const daemon = [tool('containerd'), '--config', join(folder, 'config.toml')];
    const containerd = await Program.start(daemon, { ready: /successfully booted/ });
    const image = `${withoutScheme(repository)}/acme/ctr:v1`;
    return {
      build: () =>
        machine.run([
          tool('ctr'),
          `--address=${socket}`,
          'images',
          'pull',
          '--snapshotter=native',
          '--plain-http',
          image,
        ]),
      has: () => filesOf(join(folder, 'root/io.containerd.content.v1.content/blobs'), /[0-9a-f]{64}$/),
      async remove() {
        await containerd.stop();
        await rm(folder, { recursive: true, force: true });
        await machine.remove();
      },
    };
  },
});
