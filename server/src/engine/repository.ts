import type { Refusals } from './audited.ts';
import type { AnyFormat, RepositoryKind } from './format.ts';
import type { Publisher } from './hosted/publisher.ts';
import type { Source } from './source.ts';

/** A repository of the current configuration, ready to answer. */
export interface Repository {
  readonly name: string;
  readonly kind: RepositoryKind;
  readonly format: AnyFormat;
  readonly options: Readonly<Record<string, unknown>>;
  readonly source: Source;
  /** Puts on record what is refused only once its answer is made. */
  readonly refusals: Refusals;
  /** Absent: nothing can be published to it. */
  readonly publisher?: Publisher;
  /** False once a newer configuration changed it: answers made for it are not used any more. */
  readonly life: { current: boolean };
}
