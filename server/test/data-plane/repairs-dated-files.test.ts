import { createHash, randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DebianGeneration } from '../support/debian-archive.ts';
import { ago, DAY, modifiedAgo, Week } from '../support/week.ts';

let week: Week;

beforeEach(async () => {
  week = await Week.start();
});

afterEach(() => week.stop());

const hash = (algorithm: string, bytes: Uint8Array) => createHash(algorithm).update(bytes).digest('hex');

describe('Go', () => {
  const MODULE = '/example.com/widget';
  const at = (file: string) => `/go${MODULE}/${file}`;
  const infoOf = (version: string, days: number) => JSON.stringify({ Version: version, Time: ago(days) });
  const VERSIONS = { 'v1.0.0': 100, 'v1.1.0': 50, 'v2.0.0-rc.1': 40, 'v0.9.9': 10, 'v1.2.0': 3 };
  const PSEUDO = 'v0.0.0-20200101000000-abcdefabcdef';

  /** `days`: since when the upstream has them; their authors say that all of them are old. */
  function publish(versions: Readonly<Record<string, number>>, dated = true): void {
    const list = Object.keys(versions).filter((version) => version !== PSEUDO);
    week.say(`${MODULE}/@v/list`, list.map((version) => `${version}\n`).join(''), 'text/plain');
    for (const [version, days] of Object.entries(versions)) {
      const lastModified = dated ? { lastModified: modifiedAgo(days) } : {};
      week.say(`${MODULE}/@v/${version}.info`, infoOf(version, 300), 'application/json', lastModified);
      week.say(`${MODULE}/@v/${version}.mod`, `module ${MODULE.slice(1)}\n`, 'text/plain');
      week.say(`${MODULE}/@v/${version}.zip`, randomBytes(300), 'application/zip');
    }
    const last = Object.entries(versions).findLast(([version]) => version !== PSEUDO) ?? ['', 0];
    for (const name of ['@latest', '@v/main.info']) {
      const lastModified = dated ? { lastModified: modifiedAgo(last[1]) } : {};
      week.say(`${MODULE}/${name}`, infoOf(last[0], 300), 'application/json', lastModified);
    }
  }

  const files = (version: string) => ['info', 'mod', 'zip'].map((extension) => at(`@v/${version}.${extension}`));

  test('a young version is in no view, until it is of age', async () => {
    week.serve('go');
    publish({ [PSEUDO]: 30, ...VERSIONS });
    const before = await week.got(at('@v/list'));
    expect(before.text).toBe('v1.0.0\nv1.1.0\nv2.0.0-rc.1\nv0.9.9\n');
    expect(await week.json(at('@latest'))).toEqual({ Version: 'v1.1.0' });
    await week.refuses([...files('v1.2.0'), at('@v/main.info')]);
    for (const file of [...files('v1.1.0'), ...files(PSEUDO)])
      expect([file, (await week.got(file)).status]).toEqual([file, 200]);

    week.plane.ahead += 4.1 * DAY;
    const after = await week.got(at('@v/list'));
    expect(after.text).toBe('v1.0.0\nv1.1.0\nv2.0.0-rc.1\nv0.9.9\nv1.2.0\n');
    expect(after.tag).not.toBe(before.tag);
    for (const name of ['@latest', '@v/main.info']) expect((await week.json(at(name))).Version).toBe('v1.2.0');
    for (const file of files('v1.2.0')) expect((await week.got(file)).status).toBe(200);
    expect(week.upstream.count(`${MODULE}/@v/list`)).toBe(1);
  });

  test('of which everything is young is refused in every view, with the reason', async () => {
    week.serve('go');
    publish({ 'v1.0.0': 3 });
    await week.refuses([at('@v/list'), at('@latest'), at('@v/main.info'), ...files('v1.0.0')]);
    week.plane.ahead += 4.1 * DAY;
    expect((await week.got(at('@v/list'))).text).toBe('v1.0.0\n');
  });

  test('is dated by its authors as long as it stood in the first list, and by when it was first seen after that', async () => {
    week.serve('go');
    publish({ 'v1.0.0': 0 }, false);
    expect((await week.got(at('@v/list'))).text).toBe('v1.0.0\n');
    publish({ 'v1.0.0': 0, 'v1.1.0': 0 }, false);
    week.plane.ahead += 31 * DAY;
    for (let warm = 0; warm < 2; warm++) await week.got(at('@v/list'));
    expect((await week.got(at('@v/list'))).text).toBe('v1.0.0\n');
    await week.refuses(files('v1.1.0'));
    week.plane.ahead += 7.1 * DAY;
    expect((await week.got(at('@v/list'))).text).toBe('v1.0.0\nv1.1.0\n');
    expect((await week.got(at('@v/v1.1.0.zip'))).status).toBe(200);
  });
});

describe('Maven', () => {
  const FOLDER = '/com/acme/widget';
  const METADATA = `/maven${FOLDER}/maven-metadata.xml`;
  const VERSIONS = { '1.0': 100, '1.1-rc1': 60, '1.1': 50, '1.0.1': 10, '1.2': 3 };
  const ENDINGS = ['.pom', '.jar', '-sources.jar', '.module', '.jar.asc', '.jar.sha1', '.pom.sha1'];
  const filesOf = (version: string) => ENDINGS.map((ending) => `${FOLDER}/${version}/widget-${version}${ending}`);
  const tag = (text: string, name: string) => new RegExp(`<${name}>(.*?)</${name}>`).exec(text)?.[1];
  const listed = (text: string) => [...text.matchAll(/<version>(.*?)<\/version>/g)].map(([, version]) => version);

  function publish(versions: Readonly<Record<string, number>>): void {
    const last = Object.keys(versions).at(-1);
    const lines = Object.keys(versions).map((version) => `<version>${version}</version>`);
    week.say(
      `${FOLDER}/maven-metadata.xml`,
      `<metadata><versioning><latest>${last}</latest><release>${last}</release><versions>${lines.join('')}</versions></versioning></metadata>`,
      'text/xml',
    );
    for (const [version, days] of Object.entries(versions)) {
      const bytes = randomBytes(300);
      for (const file of filesOf(version).filter((each) => !each.endsWith('.sha1')))
        week.say(file, bytes, 'application/octet-stream', { lastModified: modifiedAgo(days) });
      for (const file of filesOf(version).filter((each) => !/\.(?:sha1|asc)$/.test(each)))
        week.say(`${file}.sha1`, hash('sha1', bytes), 'text/plain', { lastModified: modifiedAgo(days) });
    }
  }

  async function expectChecksums(): Promise<void> {
    const { bytes } = await week.got(METADATA);
    for (const algorithm of ['sha1', 'md5', 'sha256', 'sha512'])
      expect((await week.got(`${METADATA}.${algorithm}`)).text).toBe(hash(algorithm, bytes));
  }

  test('a young version is in no metadata and its folder is closed, until it is of age', async () => {
    week.serve('maven');
    publish(VERSIONS);
    const before = await week.got(METADATA);
    expect(listed(before.text)).toEqual(['1.0', '1.1-rc1', '1.1', '1.0.1']);
    expect([tag(before.text, 'latest'), tag(before.text, 'release')]).toEqual(['1.1', '1.1']);
    await expectChecksums();
    await week.refuses(filesOf('1.2').map((file) => `/maven${file}`));
    for (const file of filesOf('1.1')) expect([file, (await week.got(`/maven${file}`)).status]).toEqual([file, 200]);

    week.plane.ahead += 4.1 * DAY;
    const after = await week.got(METADATA);
    expect(listed(after.text)).toEqual(Object.keys(VERSIONS));
    expect([tag(after.text, 'latest'), tag(after.text, 'release')]).toEqual(['1.2', '1.2']);
    expect(after.tag).not.toBe(before.tag);
    await expectChecksums();
    for (const file of filesOf('1.2')) expect((await week.got(`/maven${file}`)).status).toBe(200);
    expect(week.upstream.count(`${FOLDER}/maven-metadata.xml`)).toBe(1);
  });

  test('of which everything is young is refused, checksums of its metadata too', async () => {
    week.serve('maven');
    publish({ '1.2': 3 });
    const views = ['', '.sha1', '.md5', '.sha256', '.sha512'].map((ending) => `${METADATA}${ending}`);
    await week.refuses(views);
    week.plane.ahead += 4.1 * DAY;
    for (const view of views) expect((await week.got(view)).status).toBe(200);
  });

  test('a build of a snapshot is listed as soon as its files may be had', async () => {
    week.serve('maven');
    publish({ '1.0': 100 });
    const folder = `${FOLDER}/1.3-SNAPSHOT`;
    const build = (number: number, days: number) => {
      const moment = ago(days).slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '.');
      const file = `${folder}/widget-1.3-${moment}-${number}`;
      for (const extension of ['jar', 'pom']) {
        const bytes = randomBytes(300);
        week.say(`${file}.${extension}`, bytes, 'application/octet-stream', { lastModified: modifiedAgo(days) });
        week.say(`${file}.${extension}.sha1`, hash('sha1', bytes), 'text/plain', { lastModified: modifiedAgo(days) });
      }
      const entry = (extension: string) =>
        `<snapshotVersion><extension>${extension}</extension><value>1.3-${moment}-${number}</value><updated>${moment.replace('.', '')}</updated></snapshotVersion>`;
      return { moment, file, entry };
    };
    const old = build(6, 20);
    const young = build(7, 3);
    week.say(
      `${folder}/maven-metadata.xml`,
      `<metadata><version>1.3-SNAPSHOT</version><versioning><snapshot><timestamp>${young.moment}</timestamp><buildNumber>7</buildNumber></snapshot><lastUpdated>${young.moment.replace('.', '')}</lastUpdated><snapshotVersions>${young.entry('jar')}${young.entry('pom')}${old.entry('zip')}${old.entry('pom')}</snapshotVersions></versioning></metadata>`,
      'text/xml',
    );
    week.say(`${old.file}.zip`, 'zip', 'application/zip', { lastModified: modifiedAgo(20) });
    const before = await week.got(`/maven${folder}/maven-metadata.xml`);
    expect([before.status, tag(before.text, 'buildNumber'), tag(before.text, 'timestamp')]).toEqual([
      200,
      '6',
      old.moment,
    ]);
    expect(before.text).not.toContain(young.moment);
    await week.refuses([`/maven${young.file}.jar`, `/maven${young.file}.pom`]);
    expect((await week.got(`/maven${old.file}.jar`)).status).toBe(200);
    week.plane.ahead += 4.1 * DAY;
    expect(tag((await week.got(`/maven${folder}/maven-metadata.xml`)).text, 'buildNumber')).toBe('7');
    expect((await week.got(`/maven${young.file}.jar`)).status).toBe(200);
  });
});

describe('Debian', () => {
  const deb = (version: string) => ({
    name: 'widget',
    version,
    filename: `pool/main/w/widget/widget_${version}_amd64.deb`,
    deb: randomBytes(300),
  });
  const [old, young] = [deb('1.0'), deb('1.1')] as const;
  const archive = new DebianGeneration({
    folder: 'dists/stable/',
    lists: 'main/binary-amd64/',
    packages: [old, young],
    date: 'Fri, 20 Nov 2026 12:00:00 GMT',
  });

  test('what is signed stays as it is signed; a young package is refused as a file, until it is of age', async () => {
    week.serve('debian');
    archive.publish(week.upstream);
    week.upstream.respond('/pool/main/w/widget/widget_1.0_amd64.deb', { body: old.deb, lastModified: modifiedAgo(90) });
    week.upstream.respond('/pool/main/w/widget/widget_1.1_amd64.deb', {
      body: young.deb,
      lastModified: modifiedAgo(3),
    });
    expect((await week.got('/debian/dists/stable/InRelease')).text).toBe(archive.inRelease);
    expect((await week.got('/debian/dists/stable/main/binary-amd64/Packages.gz')).bytes).toEqual(archive.packagesGz);
    expect((await week.got(`/debian/${old.filename}`)).status).toBe(200);
    await week.refuses([`/debian/${young.filename}`]);
    week.plane.ahead += 4.1 * DAY;
    expect((await week.got(`/debian/${young.filename}`)).bytes).toEqual(young.deb);
  });
});
