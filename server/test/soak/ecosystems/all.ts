import type { Ecosystem } from '../ecosystem.ts';
import { cargo } from './cargo.ts';
import { generic } from './generic.ts';
import { npm } from './npm.ts';
import { pypi } from './pypi.ts';

export const ECOSYSTEMS: readonly Ecosystem[] = [npm, pypi, cargo, generic];
