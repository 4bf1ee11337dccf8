import type { Renderer } from '../answer/renderer.ts';
import type { IndexTarget, Part } from '../format.ts';

/** What is remembered of documents besides their files. */
export interface Studied {
  readonly more: readonly IndexTarget[];
  readonly parts: readonly Part[];
}

export type Understood = Extract<Awaited<ReturnType<Renderer['study']>>, { kind: 'studied' }>;
