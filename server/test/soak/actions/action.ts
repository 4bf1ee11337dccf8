import type { Client } from '../client.ts';

/** Something a client does now and then. */
export interface Action {
  readonly weight: number;
  act(client: Client): Promise<void>;
}
