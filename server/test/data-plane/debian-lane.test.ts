import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DebianGeneration, sha256 } from '../support/debian-archive.ts';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { Plane } from '../support/plane.ts';

const FOLDER = 'dists/stable/';
const LISTS = 'main/binary-amd64/';
const IN_RELEASE = `/debian/${FOLDER}InRelease`;
const PACKAGES = `/debian/${FOLDER}${LISTS}Packages.gz`;

let upstream: FakeUpstream;
let plane: Plane;

beforeEach(async () => {
  upstream = await FakeUpstream.start();
  plane = await Plane.start();
  plane.remote('archive', 'debian', upstream.url).virtual('debian', 'debian', ['archive']);
});

afterEach(async () => {
  await plane.stop();
  await upstream.stop();
});

function generation(version: string, date: string): DebianGeneration {
  const filename = `pool/main/c/curl/curl_${version}_amd64.deb`;
  const packages = [{ name: 'curl', version, filename, deb: randomBytes(1000) }];
  return new DebianGeneration({ folder: FOLDER, lists: LISTS, packages, date });
}

const get = async (path: string, client: string, headers = {}) => {
  const response = await plane.get(path, { 'user-agent': client, ...headers });
  return {
    status: response.status,
    etag: response.headers.get('etag') ?? '',
    bytes: Buffer.from(await response.arrayBuffer()),
  };
};

test('a client that got the root from memory, or was told that it has it, keeps that generation', async () => {
  const one = generation('8.0-1', 'Fri, 20 Nov 2026 12:00:00 GMT');
  const two = generation('8.1-1', 'Sat, 21 Nov 2026 12:00:00 GMT');
  one.publish(upstream);
  const { etag } = await get(IN_RELEASE, 'first');
  await get(PACKAGES, 'first');
  const before = upstream.requests.length;
  expect((await get(IN_RELEASE, 'again')).bytes.toString()).toBe(one.inRelease);
  expect((await get(IN_RELEASE, 'told', { 'if-none-match': etag })).status).toBe(304);
  expect(upstream.requests.length).toBe(before);
  two.publish(upstream);
  plane.ahead = 8 * 60_000;
  await expect.poll(async () => (await get(IN_RELEASE, 'new')).bytes.toString()).toBe(two.inRelease);
  for (const client of ['first', 'again', 'told'])
    expect(sha256((await get(PACKAGES, client)).bytes)).toBe(sha256(one.packagesGz));
  expect(sha256((await get(PACKAGES, 'new')).bytes)).toBe(sha256(two.packagesGz));
});
