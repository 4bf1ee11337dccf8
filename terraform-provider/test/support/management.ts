import type { Json } from '../../src/schema.ts';
import type { TestServer } from './server.ts';

export interface Found {
  readonly spec: Readonly<Record<string, Json>>;
  readonly revision: number;
}

/** Somebody else at the same server, who does not use Terraform. */
export class Management {
  readonly #server: TestServer;

  constructor(server: TestServer) {
    this.#server = server;
  }

  async get(collection: string, name: string): Promise<Found | undefined> {
    const response = await this.#send('GET', `/${collection}/${name}`);
    return response.status === 404 ? undefined : ((await response.json()) as Found);
  }

  async put(collection: string, spec: Readonly<Record<string, Json>>): Promise<void> {
    await accepted(await this.#send('PUT', `/${collection}/${spec.name}`, spec));
  }

  async remove(collection: string, name: string): Promise<void> {
    await accepted(await this.#send('DELETE', `/${collection}/${name}?in_use=retire`));
  }

  #send(method: string, path: string, body?: unknown): Promise<Response> {
    return fetch(`${this.#server.url}/api/v2${path}`, {
      method,
      headers: {
        authorization: `Bearer ${this.#server.token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  }
}

async function accepted(response: Response): Promise<void> {
  if (!response.ok) throw new Error(`${response.url}: ${response.status} ${await response.text()}`);
}
