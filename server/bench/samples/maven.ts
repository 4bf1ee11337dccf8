import { FILE_TARGET, file, hex, INDEX_TARGET, NAME, type Sample, text } from '../sample.ts';

const FOLDER = `/test/upstream/${NAME}`;
const METADATA = `${FOLDER}/maven-metadata.xml`;
const VERSIONS = Array.from({ length: 60 }, (_, patch) => `1.0.${patch}`);
const JAR = `${FOLDER}/1.0.0/${NAME}-1.0.0.jar`;
const jar = file();

export const maven: Sample = {
  format: 'maven',
  rows: [
    { name: 'maven metadata', path: METADATA, target: INDEX_TARGET },
    { name: 'maven jar 30 kB', path: JAR, target: FILE_TARGET },
  ],
  answers: () => ({
    [METADATA]: text(metadata(), 'text/xml'),
    [JAR]: { body: jar, type: 'application/java-archive' },
    [`${JAR}.sha1`]: text(hex('sha1', jar), 'text/plain'),
  }),
};

function metadata(): string {
  const versions = VERSIONS.map((version) => `      <version>${version}</version>\n`).join('');
  return `<metadata>
  <groupId>test.upstream</groupId>
  <artifactId>${NAME}</artifactId>
  <versioning>
    <latest>${VERSIONS.at(-1)}</latest>
    <release>${VERSIONS.at(-1)}</release>
    <versions>
${versions}    </versions>
    <lastUpdated>20220101000000</lastUpdated>
  </versioning>
</metadata>
`;
}
