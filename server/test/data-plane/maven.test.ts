import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeUpstream } from '../support/fake-upstream.ts';
import { Plane } from '../support/plane.ts';

const WIDGET = '/com/acme/widget';
const METADATA = `${WIDGET}/maven-metadata.xml`;
const POM = `${WIDGET}/1.0/widget-1.0.pom`;
const JAR = `${WIDGET}/1.0/widget-1.0.jar`;
const SNAPSHOT = `${WIDGET}/1.1-SNAPSHOT`;
const pom = Buffer.from('<project/>');
const jar = randomBytes(200_000);

let upstream: FakeUpstream;
let plane: Plane;

beforeEach(async () => {
  upstream = await FakeUpstream.start();
  plane = await Plane.start();
  plane.remote('central', 'maven', upstream.url).virtual('maven', 'maven', ['central']);
});

afterEach(async () => {
  await plane.stop();
  await upstream.stop();
});

const hash = (algorithm: string, bytes: string | Uint8Array) => createHash(algorithm).update(bytes).digest('hex');
const sha1 = (bytes: string | Uint8Array) => hash('sha1', bytes);

/** As a Maven repository sends it: with its checksum beside it. */
function publish(path: string, body: Buffer, checksum: string | undefined = sha1(body), on = upstream): void {
  on.respond(path, { body, headers: { 'content-type': 'application/octet-stream' } });
  on.respond(`${path}.sha1`, checksum === undefined ? { status: 404 } : { body: checksum });
}

function list(versions: readonly string[], on = upstream, folder = WIDGET): string {
  const lines = versions.map((version) => `<version>${version}</version>`).join('');
  const body = `<metadata><versioning><release>${versions.at(-1)}</release><versions>${lines}</versions></versioning></metadata>`;
  const headers = { 'content-type': 'text/xml' };
  on.respond(`${folder}/maven-metadata.xml`, { body, headers, etag: sha1(body) });
  return body;
}

async function got(path: string, at = 'maven') {
  const response = await plane.get(`/${at}${path}`);
  const bytes = Buffer.from(await response.arrayBuffer());
  const { status, statusText } = response;
  return { status, statusText, cache: response.headers.get('x-cache'), bytes, text: bytes.toString() };
}

const recorded = (path: string) => plane.ledger.object('central', path.slice(1));

describe('a release', () => {
  beforeEach(() => {
    publish(POM, pom);
    publish(JAR, jar);
  });

  test('is read cold, and warm while the upstream is away', async () => {
    const metadata = list(['1.0']);
    const asked = [METADATA, POM, `${POM}.sha1`, JAR, `${JAR}.sha1`];
    const cold = new Map<string, Buffer>();
    for (const path of asked) cold.set(path, (await got(path)).bytes);
    expect(cold.get(METADATA)?.toString()).toBe(metadata);
    expect(cold.get(POM)).toEqual(pom);
    expect(cold.get(JAR)?.equals(jar)).toBe(true);
    expect(cold.get(`${JAR}.sha1`)?.toString()).toBe(sha1(jar));
    upstream.verify();
    expect(upstream.requests.map(({ path }) => path).sort()).toEqual(asked.toSorted());

    await upstream.down();
    plane.ahead = 24 * 3600_000;
    for (const path of asked) {
      const warm = await got(path);
      expect(warm).toMatchObject({ status: 200, cache: path === METADATA ? 'stale' : 'hit' });
      expect(warm.bytes.equals(cold.get(path) as Buffer), path).toBe(true);
    }
  });

  test('is on record as what it is, its jar alone as a component', async () => {
    for (const path of [POM, `${POM}.sha1`, JAR, `${JAR}.sha1`]) await got(path);
    const release = { package: 'pkg:maven/com.acme/widget', version: '1.0', member: 'central', decision: 'allowed' };
    expect(plane.pulls).toMatchObject([
      { ...release, role: 'metadata' },
      { ...release, role: 'signature' },
      { ...release, role: 'package' },
      { ...release, role: 'signature' },
    ]);
  });

  test('that is here has the digest of its bytes in a header', async () => {
    await got(JAR);
    const hit = await plane.get(`/maven${JAR}`);
    expect(hit.headers.get('x-checksum-sha256')).toBe(hash('sha256', Buffer.from(await hit.arrayBuffer())));
  });

  test('is described to HEAD, and recorded by no pull', async () => {
    const head = await plane.get(`/maven${JAR}`, {}, 'HEAD');
    expect([head.status, head.headers.get('content-length')]).toEqual([200, String(jar.length)]);
    upstream.respond(`${JAR}.asc`, { status: 404 });
    expect((await plane.get(`/maven${JAR}.asc`, {}, 'HEAD')).status).toBe(404);
    expect(plane.pulls).toEqual([]);
  });

  test('needs no maven-metadata.xml, which is not asked for', async () => {
    expect((await got(JAR)).status).toBe(200);
    expect(upstream.count(METADATA)).toBe(0);
  });

  test('that is not there is absent by the upstream’s word', async () => {
    upstream
      .respond(`${WIDGET}/2.0/widget-2.0.pom`, { status: 404 })
      .respond(`${WIDGET}/2.0/widget-2.0.pom.sha1`, { status: 404 });
    expect((await got(`${WIDGET}/2.0/widget-2.0.pom`)).status).toBe(404);
    expect((await got(`${WIDGET}/2.0/widget-2.0.pom`)).status).toBe(404);
    expect(upstream.count(`${WIDGET}/2.0/widget-2.0.pom`)).toBe(1);
  });
});

describe('a file', () => {
  test('whose bytes are not those of its checksum is refused and not kept', async () => {
    publish(POM, pom, sha1('something else'));
    const answer = await got(POM);
    expect(answer.status).toBe(502);
    expect(answer.text).toContain('sent the wrong com/acme/widget/1.0/widget-1.0.pom');
    expect(await recorded(POM)).toBeUndefined();
  });

  test('that is large and wrong is never complete', async () => {
    publish(JAR, jar, sha1('something else'));
    await expect(got(JAR)).rejects.toThrow();
    await expect.poll(() => plane.logged.map(({ message }) => message)).toContain('a fetch failed');
    expect(await recorded(JAR)).toBeUndefined();
  });

  test.each([
    ['empty', ''],
    ['something else', 'no checksum'],
    ['too long', `${sha1(jar)} `.repeat(200)],
  ])('goes unchecked where its checksum is %s', async (_what, text) => {
    publish(JAR, jar, text);
    expect((await got(JAR)).bytes.equals(jar)).toBe(true);
    await expect.poll(() => recorded(JAR)).toMatchObject({ digest: `sha256:${hash('sha256', jar)}` });
    expect(await recorded(JAR)).not.toHaveProperty('expected');
  });

  test('goes unchecked where there is no checksum', async () => {
    publish(JAR, jar);
    upstream.respond(`${JAR}.sha1`, { status: 404 });
    expect((await got(JAR)).bytes.equals(jar)).toBe(true);
    expect((await got(`${JAR}.sha1`)).status).toBe(404);
    expect(upstream.count(`${JAR}.sha1`)).toBe(1);
  });

  test.each([POM, JAR, `${JAR}.sha1`])('is not taken from a web page in its place: %s', async (path) => {
    const reply = { body: '<!doctype html><title>Sign in</title>', headers: { 'content-type': 'text/html' } };
    upstream.respond(path, reply).respond(`${path}.sha1`, { status: 404 });
    expect(await got(path)).toMatchObject({ status: 502, text: expect.stringContaining('web page') });
    expect(await recorded(path)).toBeUndefined();
  });
});

describe('maven-metadata.xml', () => {
  test('has checksums of what is served here, hidden versions left out', async () => {
    plane.remote('central', 'maven', upstream.url, { blocklist: ['widget/2\\.'] });
    const theirs = list(['1.0', '1.1', '2.0']);
    const { text } = await got(METADATA);
    expect(text).toContain('<release>1.1</release>');
    expect(text).not.toContain('2.0');
    expect(text).not.toBe(theirs);
    for (const algorithm of ['sha1', 'md5', 'sha256', 'sha512'])
      expect((await got(`${METADATA}.${algorithm}`)).text).toBe(hash(algorithm, text));
    expect((await got(`${METADATA}.asc`)).status).toBe(404);
    expect(upstream.requests.map(({ path }) => path)).toEqual([METADATA]);
  });

  test('is the upstream’s to the byte while nothing is hidden', async () => {
    const theirs = list(['1.0', '1.1']);
    expect((await got(METADATA)).text).toBe(theirs);
    expect((await got(`${METADATA}.sha1`)).text).toBe(sha1(theirs));
  });

  test('changes with the upstream, and its checksum with it', async () => {
    list(['1.0']);
    await got(METADATA);
    const newer = list(['1.0', '1.1']);
    plane.ahead = 24 * 3600_000;
    expect((await got(METADATA)).text).toBe(newer);
    expect((await got(`${METADATA}.sha1`)).text).toBe(sha1(newer));
  });

  test('that does not decode does not replace what is here', async () => {
    const theirs = list(['1.0']);
    await got(METADATA);
    upstream.respond(METADATA, { body: theirs.slice(0, 50), headers: { 'content-type': 'text/xml' } });
    plane.ahead = 24 * 3600_000;
    expect(await got(METADATA)).toMatchObject({ status: 200, cache: 'stale', text: theirs });
  });

  test('of a group has its plugins', async () => {
    const body = '<metadata><plugins><plugin><prefix>widget</prefix></plugin></plugins></metadata>';
    upstream.respond('/com/acme/maven-metadata.xml', { body, headers: { 'content-type': 'text/xml' } });
    expect(await got('/com/acme/maven-metadata.xml')).toMatchObject({ status: 200, text: body });
  });
});

describe('a snapshot', () => {
  const stamped = `${SNAPSHOT}/widget-1.1-20261121.144808-1.jar`;
  const files = `<metadata><versioning><snapshotVersions><snapshotVersion><extension>jar</extension>
    <value>1.1-20261121.144808-1</value><updated>20261121144808</updated></snapshotVersion></snapshotVersions></versioning></metadata>`;

  test('has on record when it was deployed, by its author’s word', async () => {
    upstream.respond(`${SNAPSHOT}/maven-metadata.xml`, { body: files, headers: { 'content-type': 'text/xml' } });
    publish(stamped, jar);
    expect((await got(`${SNAPSHOT}/maven-metadata.xml`)).text).toBe(files);
    expect((await got(stamped)).status).toBe(200);
    await expect
      .poll(() => recorded(stamped))
      .toMatchObject({
        name: 'com.acme/widget',
        version: '1.1-SNAPSHOT',
        publishedAt: Date.UTC(2026, 10, 21, 14, 48, 8),
        publishedBy: 'author',
      });
  });

  test('under a name that stays is asked for again, its checksum unread', async () => {
    const path = `${SNAPSHOT}/widget-1.1-SNAPSHOT.jar`;
    const reply = (body: string) => ({
      body,
      headers: { 'content-type': 'application/java-archive' },
      etag: sha1(body),
    });
    upstream.respond(path, reply('first'));
    expect((await got(path)).text).toBe('first');
    upstream.respond(path, reply('second'));
    plane.ahead = 24 * 3600_000;
    expect((await got(path)).text).toBe('second');
    expect(upstream.count(`${path}.sha1`)).toBe(0);
  });
});

describe('an artifact that is withheld', () => {
  const REASON = expect.stringMatching(
    /^com\.acme\/widget is on the blocklist of "central" \(\^com\.acme\/widget\$\)\. .+/,
  );

  beforeEach(() => {
    list(['1.0']);
    publish(POM, pom);
    publish(JAR, jar);
    plane.remote('central', 'maven', upstream.url, { blocklist: ['^com.acme/widget$'] });
  });

  test.each([METADATA, `${METADATA}.sha1`])('is refused by its index, with the reason: %s', async (path) => {
    expect(await got(path)).toMatchObject({ status: 403, statusText: REASON, text: REASON });
  });

  test.each([POM, JAR, `${JAR}.sha1`, `${JAR}.asc`])(
    'is refused by its file, which is not fetched: %s',
    async (path) => {
      expect(await got(path)).toMatchObject({ status: 403, statusText: REASON, text: REASON });
      expect(upstream.requests).toEqual([]);
      expect(plane.pulls).toMatchObject([
        { decision: 'refused', package: 'pkg:maven/com.acme/widget', version: '1.0' },
      ]);
    },
  );

  test('is refused also when its file is here', async () => {
    plane.remote('central', 'maven', upstream.url);
    expect((await got(JAR)).status).toBe(200);
    plane.remote('central', 'maven', upstream.url, { blocklist: ['^com.acme/widget$'] });
    expect((await got(JAR)).status).toBe(403);
  });
});

describe('several repositories behind one', () => {
  let own: FakeUpstream;

  beforeEach(async () => {
    own = await FakeUpstream.start();
    plane.remote('own', 'maven', own.url).virtual('maven', 'maven', ['own', 'central']);
  });
  afterEach(() => own.stop());

  test('give the files of the first that lists the artifact', async () => {
    list(['1.0'], own);
    publish(JAR, Buffer.from('our own'), undefined, own);
    publish(JAR, jar);
    expect((await got(JAR)).text).toBe('our own');
    expect(upstream.requests).toEqual([]);
  });

  test('go on to the next for an artifact that the first has not', async () => {
    own.respond(METADATA, { status: 404 });
    list(['1.0']);
    publish(JAR, jar);
    expect((await got(JAR)).bytes.equals(jar)).toBe(true);
    expect(plane.pulls).toMatchObject([{ repository: 'maven', member: 'central' }]);
  });

  test('give a file that is listed nowhere, from the first that has it', async () => {
    for (const one of [own, upstream]) one.respond(METADATA, { status: 404 });
    for (const path of [JAR, `${JAR}.sha1`]) own.respond(path, { status: 404 });
    publish(JAR, jar);
    expect((await got(JAR)).bytes.equals(jar)).toBe(true);
  });

  test('give none of the second while the first cannot say', async () => {
    own.respond(METADATA, { status: 500 });
    publish(JAR, jar);
    list(['1.0']);
    expect((await got(JAR)).status).toBe(503);
    expect(upstream.requests).toEqual([]);
  });
});
