import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import type { FreshMachine } from '../support/clients.ts';
import { containerMachine, layoutDigests, layoutTop } from '../support/container-machine.ts';
import { MirroredRegistry } from '../support/mirrored-registry.ts';
import { digestsOf, imageOf, multiArchitectureImageOf, topOf } from '../support/oci-image.ts';
import { requireTool } from '../support/require-tool.ts';

const OLD = multiArchitectureImageOf('old');
const NEW = multiArchitectureImageOf('new');
const LATE = imageOf('late');

let registry: MirroredRegistry;
let skopeo: string;
let machine: FreshMachine;

const copyCommand = (reference: string, to: string) => {
  const from = `docker://${registry.host}/team/${reference}`;
  return [skopeo, 'copy', '--all', '--src-tls-verify=false', from, `oci:${to}:v1`];
};

async function copied(reference: string, to: string): Promise<{ top: string; digests: string[] }> {
  await machine.succeed(copyCommand(reference, to));
  const folder = join(machine.project, to);
  return { top: await layoutTop(folder), digests: await layoutDigests(folder) };
}

const whole = (image: typeof OLD) => ({ top: topOf(image).digest, digests: digestsOf(image) });

beforeEach(async (context) => {
  skopeo = requireTool(context, 'skopeo', 'apt-get install skopeo');
  const program = requireTool(context, 'docker-registry', 'apt-get install docker-registry');
  machine = await containerMachine();
  registry = await MirroredRegistry.start(program);
});
afterEach(() => machine?.remove());
afterAll(() => registry?.stop());

test('under a cooldown a tag that moved is the image that it was, and what is new is refused with the reason', async () => {
  await registry.upstream.push('acme/app', 'v1', OLD);
  expect(await copied('acme/app:v1', 'first')).toEqual(whole(OLD));
  await registry.server.manage('POST', '/cooldowns', { name: 'week', formats: { oci: '7d' } });
  await registry.upstream.push('acme/app', 'v1', NEW);
  await registry.upstream.push('acme/app', 'v2', LATE);
  const refused = async (reference: string) => {
    const { code, text } = await machine.run(copyCommand(reference, 'no'));
    expect(code).not.toBe(0);
    return text.replaceAll('\\"', '"');
  };
  expect(await refused(`acme/app@${topOf(NEW).digest}`)).toMatch(
    /was first seen .* ago; the cooldown "week" admits it from/,
  );
  expect(await refused('acme/app:v2')).toMatch(/was first seen .* ago; the cooldown "week" admits it from/);
  expect(await copied('acme/app:v1', 'again')).toEqual(whole(OLD));
  const { paths } = await registry.pulled();
  expect(paths.filter((path) => path.includes(topOf(NEW).digest))).toEqual([]);
  await registry.server.manage('DELETE', '/cooldowns/week');
  let times = 0;
  await expect.poll(() => copied('acme/app:v1', `later-${times++}`)).toEqual(whole(NEW));
});
