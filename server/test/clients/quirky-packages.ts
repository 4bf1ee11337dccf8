import { mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { defaultUpstream } from '../../src/app/default-upstream.ts';
import { formats } from '../../src/formats/all.ts';
import { FreshMachine } from '../support/clients.ts';
import {
  BUSY,
  CUT,
  cutOff,
  DROP,
  filesOf,
  first,
  type Held,
  loginPage,
  type Origin,
  otherwise,
  type QuirkyClient,
  REDIRECT,
  SLOW,
  TOO_MANY,
} from './quirky-client.ts';

async function publicRegistry(id: string): Promise<Origin> {
  const format = formats.find((each) => each.id === id);
  const url = format && defaultUpstream(format);
  if (url === undefined) throw new Error(`No public registry is known for ${id}.`);
  return { url, stop: async () => {} };
}

/** A JVM that lives for seconds. */
const SHORT_LIVED = { JAVA_TOOL_OPTIONS: '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC' };

export const cargo: QuirkyClient = {
  format: 'cargo',
  needs: { cargo: 'rustup installs it' },
  upstream: () => publicRegistry('cargo'),
  async fresh(repository, tool) {
    const machine = await FreshMachine.create();
    const env = {
      CARGO_HOME: join(machine.home, 'cargo'),
      CARGO_TERM_COLOR: 'never',
      CARGO_NET_RETRY: '1',
      RUSTUP_HOME: process.env['RUSTUP_HOME'] ?? join(homedir(), '.rustup'),
    };
    const replaced = '[source.crates-io]\nreplace-with = "mirror"\n';
    await mkdir(join(machine.project, 'src'));
    await mkdir(join(machine.project, '.cargo'));
    await machine.write({
      'Cargo.toml':
        '[package]\nname = "walk"\nversion = "1.0.0"\nedition = "2021"\n[dependencies]\neither = "1"\nhex = "0.4"\nitoa = "1"\n',
      'src/main.rs': 'fn main() {}\n',
      '.cargo/config.toml': `${replaced}[source.mirror]\nregistry = "sparse+${repository}/"\n`,
    });
    return {
      build: () => machine.run([tool('cargo'), 'fetch'], env),
      has: async () => ({
        ...(await filesOf(machine.project, /^Cargo\.lock$/)),
        ...(await filesOf(join(machine.home, 'cargo/registry/cache'), /\.crate$/)),
      }),
      remove: () => machine.remove(),
    };
  },
  passing: [
    first(/config\.json$/, DROP),
    first(/\/either$/, BUSY),
    first(/\/hex$/, REDIRECT),
    first(/\/itoa$/, SLOW),
    first(/crates\/either\//, TOO_MANY),
    first(/crates\/hex\//, DROP),
    first(/crates\/itoa\//, CUT),
    otherwise('no_validators', /crates\/either\//),
    otherwise('changing_etag'),
  ],
  lasting: [[loginPage(/crates\/hex\//)], [cutOff(/crates\/hex\//)]],
};

const MODULES = ['github.com/BurntSushi/toml@v1.5.0', 'github.com/google/uuid@v1.6.0', 'github.com/pkg/errors@v0.9.1'];

/** Lines of go.sum, which has those of what is verified. */
async function sums({ project }: FreshMachine): Promise<Held> {
  const text = await readFile(join(project, 'go.sum'), 'utf8').catch(() => '');
  const lines = text.trim().split('\n').filter(Boolean);
  return Object.fromEntries(lines.map((line) => line.split(/ (?=h1:)/)));
}

export const go: QuirkyClient = {
  format: 'go',
  needs: { go: 'its own site has it for every system' },
  upstream: () => publicRegistry('go'),
  async fresh(repository, tool) {
    const machine = await FreshMachine.create();
    await machine.write({ 'go.mod': 'module example.com/walk\n\ngo 1.21\n' });
    const env = {
      GOPROXY: repository,
      GOPATH: join(machine.home, 'go'),
      GOFLAGS: '-modcacherw -mod=mod',
      GOTOOLCHAIN: 'local',
    };
    return {
      build: () => machine.run([tool('go'), 'get', ...MODULES], env),
      has: async () => ({
        ...(await sums(machine)),
        ...(await filesOf(join(machine.home, 'go/pkg/mod/cache/download'), /\.(?:zip|mod|ziphash)$/)),
      }),
      remove: () => machine.remove(),
    };
  },
  passing: [
    first(/toml\/@v\/.+\.info$/, BUSY),
    first(/uuid\/@v\/.+\.mod$/, DROP),
    first(/toml\/@v\/.+\.zip$/, REDIRECT),
    first(/uuid\/@v\/.+\.zip$/, SLOW),
    first(/errors\/@v\/.+\.zip$/, DROP),
    first(/^\/sumdb\/.+\/lookup\/.+uuid/, TOO_MANY),
    otherwise('no_validators', /\.mod$/),
    otherwise('changing_etag'),
  ],
  lasting: [[loginPage(/uuid\/@v\/.+\.zip$/)], [cutOff(/uuid\/@v\/.+\.zip$/)]],
};

/** An old one, which needs little besides itself. */
const COMPILE = 'org.apache.maven.plugins:maven-compiler-plugin:2.0.2:compile';

export const mvn: QuirkyClient = {
  format: 'maven',
  needs: { mvn: 'apt-get install maven' },
  upstream: () => publicRegistry('maven'),
  async fresh(repository, tool) {
    const machine = await FreshMachine.create();
    const held = join(machine.home, 'held');
    const dependency = (group: string, artifact: string, version: string) =>
      `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
    await machine.write({
      'settings.xml': `<settings><mirrors><mirror><id>mirror</id><mirrorOf>*</mirrorOf><url>${repository}/</url></mirror></mirrors></settings>\n`,
      'pom.xml': `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>com.acme</groupId><artifactId>walk</artifactId><version>1.0.0</version>
  <dependencies>
    ${dependency('aopalliance', 'aopalliance', '1.0')}
    ${dependency('commons-logging', 'commons-logging', '[1.2,1.2.99]')}
    ${dependency('javax.inject', 'javax.inject', '1')}
  </dependencies>
</project>
`,
    });
    const flags = ['--batch-mode', '--strict-checksums', '--no-transfer-progress', '--settings=settings.xml'];
    const places = [`-Duser.home=${machine.home}`, `-Dmaven.repo.local=${held}`];
    return {
      build: () => machine.run([tool('mvn'), ...flags, ...places, COMPILE], SHORT_LIVED),
      has: () => filesOf(held, /\.(?:jar|pom)$/),
      remove: () => machine.remove(),
    };
  },
  passing: [
    first(/aopalliance-[\d.]+\.pom$/, BUSY),
    first(/commons-logging\/maven-metadata\.xml$/, DROP),
    first(/javax\.inject-[\d.]+\.jar$/, SLOW),
    first(/aopalliance-[\d.]+\.jar$/, REDIRECT),
    first(/commons-logging-[\d.]+\.jar$/, DROP),
    first(/commons-logging-[\d.]+\.jar\.sha1$/, TOO_MANY),
    otherwise('no_validators', /\.pom$/),
    otherwise('changing_etag'),
  ],
  lasting: [[loginPage(/commons-logging-[\d.]+\.jar$/)], [cutOff(/commons-logging-[\d.]+\.jar$/)]],
};

export const gradle: QuirkyClient = {
  ...mvn,
  needs: { gradle: 'apt-get install gradle' },
  async fresh(repository, tool) {
    const machine = await FreshMachine.create();
    const home = join(machine.home, 'gradle');
    const modules = [
      'javax.inject:javax.inject:1',
      'commons-logging:commons-logging:[1.2,1.2.99]',
      'aopalliance:aopalliance:1.0',
    ];
    await machine.write({
      'settings.gradle': "rootProject.name = 'walk'\n",
      'build.gradle': [
        `repositories { maven { url '${repository}/' } }`,
        'configurations { walk }',
        `dependencies { ${modules.map((module) => `walk '${module}'`).join('\n  ')} }`,
        "task fetch(type: Copy) { from configurations.walk; into 'jars' }",
        '',
      ].join('\n'),
    });
    return {
      build: () =>
        machine.run(
          [tool('gradle'), '--no-daemon', `--gradle-user-home=${home}`, `-Duser.home=${machine.home}`, 'fetch'],
          SHORT_LIVED,
        ),
      has: async () => ({
        ...(await filesOf(join(home, 'caches/modules-2/files-2.1'), /\.(?:jar|pom)$/)),
        ...(await filesOf(machine.project, /\.jar$/)),
      }),
      remove: () => machine.remove(),
    };
  },
  lasting: [[loginPage(/aopalliance-[\d.]+\.jar$/), cutOff(/commons-logging-[\d.]+\.jar$/)]],
};
