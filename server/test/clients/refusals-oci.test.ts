import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe } from 'vitest';
import { FreshMachine, type Outcome, type Skippable } from '../support/clients.ts';
import { containerMachine } from '../support/container-machine.ts';
import { DockerDaemon } from '../support/docker-daemon.ts';
import { MirroredRegistry } from '../support/mirrored-registry.ts';
import { imageOf } from '../support/oci-image.ts';
import { requireTool } from '../support/require-tool.ts';
import { refusedClientSuite } from './refusals-client.ts';

const PACKAGE = 'pkg:oci/acme%2Fapp';

let registry: MirroredRegistry | undefined;
let upstream: string;

const server = () => {
  if (!registry) throw new Error('the registry is not there yet');
  return registry.server;
};
const upstreamRequired = (context: Skippable) => {
  upstream = requireTool(context, 'docker-registry', 'apt-get install docker-registry');
};

/** The tag `v2` came after everything that the server has seen of the image. */
async function ready(): Promise<MirroredRegistry> {
  if (registry) return registry;
  registry = await MirroredRegistry.start(upstream);
  await registry.upstream.push('acme/app', 'v1', imageOf('first'));
  await fetch(`${registry.server.url}/v2/team/acme/app/tags/list`);
  await fetch(`${registry.server.url}/v2/team/acme/app/manifests/v1`);
  await registry.upstream.push('acme/app', 'v2', imageOf('second'));
  return registry;
}

afterAll(() => registry?.stop());

describe('skopeo', () => {
  let skopeo: string;
  let machine: FreshMachine;

  beforeEach(async () => {
    machine = await containerMachine();
  });
  afterEach(() => machine?.remove());

  async function copy(rule: () => Promise<void>): Promise<Outcome> {
    const { host } = await ready();
    await rule();
    const to = `oci:${join(machine.project, 'copy')}:v2`;
    return machine.run([skopeo, 'copy', '--src-tls-verify=false', `docker://${host}/team/acme/app:v2`, to]);
  }

  refusedClientSuite({
    client: 'skopeo',
    require: (context) => {
      upstreamRequired(context);
      skopeo = requireTool(context, 'skopeo', 'apt-get install skopeo');
    },
    server,
    asks: { file: (rule) => copy(() => rule(PACKAGE)), block: (rule) => copy(() => rule(PACKAGE)) },
  });
});

describe('docker', () => {
  let docker: string;
  let dockerd: string;
  let daemon: DockerDaemon | undefined;
  let machine: FreshMachine;

  beforeEach(async () => {
    machine = await FreshMachine.create();
  });
  afterEach(async () => {
    await daemon?.stop();
    await machine?.remove();
  });

  async function pull(rule: () => Promise<void>): Promise<Outcome> {
    const { host } = await ready();
    daemon = await DockerDaemon.start(dockerd, server().url);
    await rule();
    const env = { DOCKER_HOST: daemon.host, DOCKER_CONFIG: join(machine.home, 'docker') };
    return machine.run([docker, 'pull', `${host}/team/acme/app:v2`], env);
  }

  refusedClientSuite({
    client: 'docker',
    require: (context) => {
      upstreamRequired(context);
      dockerd = requireTool(context, 'dockerd', 'apt-get install docker.io');
      docker = requireTool(context, 'docker', 'apt-get install docker.io');
    },
    server,
    asks: { file: (rule) => pull(() => rule(PACKAGE)), block: (rule) => pull(() => rule(PACKAGE)) },
  });
});
