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
