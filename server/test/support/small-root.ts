import { execFile, execFileSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { chmod, copyFile, cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What the instructions of a Dockerfile call, besides Node and npm. */
const PROGRAMS = ['env', 'sh', 'find', 'mkdir', 'chown', 'chmod', 'ln', 'rm', 'ls', 'cat', 'id'];
const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';

/** Environment of what runs in it: how npm reaches its registry on this machine. */
export type RootEnvironment = Readonly<Record<string, string>>;

/**
 * Fills a folder with as much of this machine as makes an image with Node and npm: instead of one from a registry of
 * images, which a machine that runs tests need not reach.
 */
export async function fillSmallRoot(root: string): Promise<RootEnvironment> {
  for (const folder of [
    'etc/ssl/certs',
    'usr/bin',
    'usr/lib',
    'usr/lib64',
    'usr/local/bin',
    'root',
    'proc',
    'sys',
    'dev',
  ])
    await mkdir(join(root, folder), { recursive: true });
  for (const name of ['bin', 'lib', 'lib64']) await symlink(`usr/${name}`, join(root, name));
  await mkdir(join(root, 'tmp'));
  await chmod(join(root, 'tmp'), 0o1777);
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\n');
  const programs = new Map(PROGRAMS.map((name) => [name, pathOf(name)]));
  programs.set('node', process.execPath);
  for (const [name, path] of programs) await copyFile(path, join(root, 'usr/bin', name));
  for (const library of await librariesOf([...programs.values()])) {
    await mkdir(join(root, dirname(library)), { recursive: true });
    await copyFile(realpathSync(library), join(root, library));
  }
  const npm = pathOf('npm');
  await cp(join(dirname(npm), '..'), join(root, 'usr/lib/npm'), { recursive: true });
  await symlink('../lib/npm/bin/npm-cli.js', join(root, 'usr/bin/npm'));
  if (!existsSync(AUTHORITIES)) return registryOf(npm);
  await copyFile(AUTHORITIES, join(root, AUTHORITIES));
  return { ...registryOf(npm), NODE_EXTRA_CA_CERTS: AUTHORITIES, NPM_CONFIG_CAFILE: AUTHORITIES };
}

function registryOf(npm: string): RootEnvironment {
  const registry = execFileSync(process.execPath, [npm, 'config', 'get', 'registry'], { encoding: 'utf8', cwd: '/' });
  return { NPM_CONFIG_REGISTRY: registry.trim() };
}

function pathOf(program: string): string {
  return realpathSync(execFileSync('which', [program], { encoding: 'utf8' }).trim());
}

/** Where the loader finds them, as the programs' own headers ask for them. */
async function librariesOf(programs: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await run('ldd', [...programs]);
  return [...new Set(stdout.match(/\/lib\S+(?= \()/g))];
}
