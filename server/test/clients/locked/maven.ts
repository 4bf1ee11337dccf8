import { type Ecosystem, found, lastModifiedOf, partsOf } from './ecosystem.ts';

/** As `mvn dependency:tree -DoutputFile=tree.txt` writes it. */
const TREE = `com.example:walk:jar:1.0.0
+- org.slf4j:slf4j-simple:jar:2.0.9:compile
|  \\- org.slf4j:slf4j-api:jar:2.0.9:compile
+- commons-io:commons-io:jar:2.11.0:compile
\\- junit:junit:jar:4.13.2:test
   \\- org.hamcrest:hamcrest-core:jar:1.3:test
`;

export const maven: Ecosystem = {
  client: 'mvn dependency:tree',
  format: 'maven',
  file: 'tree.txt',
  lock: (_context, machine) => machine.write({ 'tree.txt': TREE }),
  releaseOf: async (purl, registry) => {
    const { name, version } = partsOf(purl);
    const [group = '', artifact = ''] = name.split('/');
    const url = `${registry}/${group.replaceAll('.', '/')}/${artifact}/${version}/${artifact}-${version}.pom`;
    return { published: lastModifiedOf(await found(url)), url };
  },
};
