import { rm } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { Management } from './management.ts';
import { builtProvider } from './provider.ts';
import { startServer, type TestServer } from './server.ts';
import { terraformPath, Workspace } from './terraform.ts';

export interface Suite {
  readonly server: () => TestServer;
  /** Folder of the built provider. */
  readonly provider: () => string;
  readonly management: () => Management;
  /** A new folder with Terraform and the built provider, gone after the test. */
  readonly workspace: (env?: Readonly<Record<string, string>>) => Workspace;
  /** The same, but Terraform finds the provider only if it is installed. */
  readonly bareWorkspace: (env?: Readonly<Record<string, string>>) => Workspace;
}

/** One server and one built provider for the tests of a file. */
export function terraformSuite(): Suite {
  let server: TestServer;
  let provider: string;
  const open: Workspace[] = [];
  beforeAll(async () => {
    terraformPath();
    provider = await builtProvider();
    server = await startServer();
  });
  afterEach(() => {
    for (const workspace of open.splice(0)) workspace.close();
  });
  afterAll(async () => {
    await server.close();
    await rm(provider, { recursive: true });
  });
  const bareWorkspace: Suite['workspace'] = (env) => {
    const made = new Workspace(env ?? { ENTREPOT_URL: server.url, ENTREPOT_TOKEN: server.token });
    open.push(made);
    return made;
  };
  return {
    server: () => server,
    provider: () => provider,
    management: () => new Management(server),
    workspace: (env) => bareWorkspace(env).override(provider),
    bareWorkspace,
  };
}
