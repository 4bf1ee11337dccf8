import { type MessagePort, parentPort } from 'node:worker_threads';
import type { SnapshotRequest } from './snapshot.ts';
import { takeSnapshot } from './transfer/take-snapshot.ts';
import type { Answer, Call } from './worker-calls.ts';

const port = parentPort as MessagePort;

async function answer({ id, method, args }: Call): Promise<Answer> {
  if (method === 'close') {
    // The port is closed once this call is answered.
    setImmediate(() => port.close());
    return { id, value: undefined };
  }
  try {
    return { id, value: await takeSnapshot(args[0] as SnapshotRequest) };
  } catch (error) {
    const { message, stack } = error as Error;
    return { id, failure: { is: 'failed', message, detail: stack } };
  }
}

port.on('message', (call: Call) => void answer(call).then((done) => port.postMessage(done)));
