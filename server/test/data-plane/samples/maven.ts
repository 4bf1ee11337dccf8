import {
  filesOf,
  hex,
  manyBytes,
  OCTETS,
  type PackageSample,
  replied,
  type SampleFile,
  text,
  versionOf,
} from './releases.ts';
import { large, reply, type Sample, sha1 } from './sample.ts';

const FOLDER = '/com/acme/widget';
const METADATA = `<?xml version="1.0" encoding="UTF-8"?>
<metadata><groupId>com.acme</groupId><artifactId>widget</artifactId><versioning><latest>1.0</latest><release>1.0</release>
<versions><version>0.9</version><version>1.0</version></versions><lastUpdated>20260101000000</lastUpdated></versioning></metadata>
`;
const JAR = `${FOLDER}/1.0/widget-1.0.jar`;
const SOURCES = `${FOLDER}/1.0/widget-1.0-sources.jar`;

export function sample(): Sample {
  const jar = large();
  return {
    upstream: {
      [`${FOLDER}/maven-metadata.xml`]: reply(METADATA, 'text/xml'),
      [JAR]: reply(jar, 'application/java-archive'),
      [`${JAR}.sha1`]: reply(sha1(jar), 'text/plain'),
      [SOURCES]: reply(large(), 'application/java-archive'),
      [`${SOURCES}.sha1`]: { status: 404 },
    },
    requests: [
      { title: 'metadata', kind: 'index', path: `${FOLDER}/maven-metadata.xml` },
      { title: 'jar', kind: 'artifact', path: JAR, digested: true },
      { title: 'jar without a checksum', kind: 'artifact', path: SOURCES },
    ],
  };
}

const WIDGETS = '/com/acme/widget';

export const releases: PackageSample = {
  purl: 'pkg:maven/com.acme/widget',
  same: ['pkg:MAVEN/com.acme/widget', 'pkg:maven/com%2Eacme/%77idget'],
  others: ['pkg:maven/com.acme/widgets', 'pkg:maven/acme/widget', 'pkg:maven/com.acme/Widget'],
  listing: [{ path: `${WIDGETS}/maven-metadata.xml` }],

  release(minor, when = {}) {
    const version = versionOf(minor);
    const at = (suffix: string, bytes: Buffer, type = 'text/plain'): SampleFile => {
      const path = `${WIDGETS}/${version}/widget-${version}${suffix}`;
      return { path, upstream: path, bytes, type };
    };
    const withSum = (file: SampleFile, suffix: string) => [
      file,
      at(`${suffix}.sha1`, Buffer.from(hex('sha1', file.bytes))),
    ];
    const [jar, sum] = withSum(at('.jar', manyBytes(), 'application/java-archive'), '.jar') as [SampleFile, SampleFile];
    const pom = Buffer.from(`<project><!-- ${text('pom')} --><version>${version}</version></project>`);
    return {
      ...when,
      version,
      mark: version,
      file: jar,
      beside: [
        sum,
        ...withSum(at('.pom', pom, 'application/xml'), '.pom'),
        ...withSum(at('-sources.jar', manyBytes(), 'application/java-archive'), '-sources.jar'),
        ...withSum(at('.module', text('{}'), 'application/json'), '.module'),
        at('.jar.asc', text('signature'), OCTETS),
        at('.jar.md5', text('md5')),
      ],
      aliases: [],
    };
  },

  upstream: (all) => ({
    [`${WIDGETS}/maven-metadata.xml`]: replied(
      `<?xml version="1.0" encoding="UTF-8"?>
<metadata><groupId>com.acme</groupId><artifactId>widget</artifactId><versioning>
<latest>${all.at(-1)?.version}</latest><release>${all.at(-1)?.version}</release>
<versions>${all.map(({ version }) => `<version>${version}</version>`).join('')}</versions>
<lastUpdated>20260101000000</lastUpdated></versioning></metadata>
`,
      'text/xml',
    ),
    ...Object.assign({}, ...all.map((one) => filesOf(one, one.at))),
  }),

  indexes: () => [{ path: `${WIDGETS}/maven-metadata.xml` }],
};
