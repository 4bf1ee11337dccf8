import type { Registry } from 'prom-client';
import { Counts, Timings } from '../engine/cells.ts';
import { traced } from '../engine/trail.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { type Committed, IntegrityError, type Store, StoreError, type Upload } from '../store/store.ts';

const BOUNDS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];

export interface PortMetrics {
  ledger(ledger: Ledger): Ledger;
  store(store: Store): Store;
}

/** Times every call to the ledger and the store, and makes a span of it. */
export function portMetrics(registry: Registry): PortMetrics {
  const calls = new Timings(
    registry,
    { name: 'entrepot_ledger_call_duration_seconds', help: 'Time that calls to the ledger take.', labels: ['call'] },
    BOUNDS,
  );
  const callErrors = new Counts(registry, {
    name: 'entrepot_ledger_errors_total',
    help: 'Calls to the ledger that failed.',
    labels: ['call'],
  });
  const operations = new Timings(
    registry,
    {
      name: 'entrepot_store_operation_duration_seconds',
      help: 'Time that operations of the store take; of reading, until it is open.',
      labels: ['operation'],
    },
    BOUNDS,
  );
  const operationErrors = new Counts(registry, {
    name: 'entrepot_store_errors_total',
    help: 'Operations of the store that failed, by what is wrong.',
    labels: ['operation', 'reason'],
  });
  const written = new Counts<never>(registry, {
    name: 'entrepot_store_written_bytes_total',
    help: 'Bytes of blobs that were kept, those among them that were there already.',
    labels: [],
  });
  const onLedger: Around = (call, called, began) =>
    measured(`ledger ${call}`, called, (error) => {
      calls.of({ call }).observe((performance.now() - began) / 1000);
      if (error !== undefined) callErrors.of({ call }).inc();
    });
  const onStore: Around = (operation, called, began) =>
    measured(`store ${operation}`, called, (error) => {
      operations.of({ operation }).observe((performance.now() - began) / 1000);
      if (error !== undefined && !(error instanceof IntegrityError))
        operationErrors.of({ operation, reason: error instanceof StoreError ? error.reason : 'other' }).inc();
    });
  const onUpload: Around = async (operation, called, began) => {
    if (operation !== 'commit') return called;
    const committed = await onStore(operation, called, began);
    written.of({}).inc((committed as Committed).size);
    return committed;
  };
  const onStoreAndUploads: Around = async (operation, called, began) => {
    const result = await onStore(operation, called, began);
    return operation === 'begin' ? (around(result as Upload, onUpload) as typeof result) : result;
  };
  return {
    ledger: (ledger) => around(ledger, onLedger),
    store: (store) => around(store, onStoreAndUploads),
  };
}

/** `called`: the call's promise; `began`: `performance.now()` before it. */
type Around = <Result>(name: string, called: Promise<Result>, began: number) => Promise<Result>;

/** The same port, with `hear` around every promise that its functions give. */
function around<Port extends object>(port: Port, hear: Around): Port {
  const known = new Map<string | symbol, unknown>();
  return new Proxy(port, {
    get: (target, name) => {
      const before = known.get(name);
      if (before !== undefined) return before;
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function' || typeof name !== 'string') return member;
      const heard = (...args: unknown[]): unknown => {
        const began = performance.now();
        const result: unknown = Reflect.apply(member, target, args);
        return result instanceof Promise && name !== 'close' ? hear(name, result, began) : result;
      };
      known.set(name, heard);
      return heard;
    },
  });
}

async function measured<Result>(
  span: string,
  called: Promise<Result>,
  ended: (error?: unknown) => void,
): Promise<Result> {
  try {
    const result = await traced(span, 'internal', {}, () => called);
    ended();
    return result;
  } catch (error) {
    ended(error);
    throw error;
  }
}
