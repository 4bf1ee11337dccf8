import type { AnyFormat } from '../engine/format.ts';
import { cargo } from './cargo/index.ts';
import { debian } from './debian/index.ts';
import { DebianOptions } from './debian/options.ts';
import { generic } from './generic/index.ts';
import { GenericOptions } from './generic/options.ts';
import { go } from './go/index.ts';
import { gradleCache } from './gradle-cache/index.ts';
import { maven } from './maven/index.ts';
import { npm } from './npm/index.ts';
import { oci } from './oci/index.ts';
import { pypi } from './pypi/index.ts';
import { PypiOptions } from './pypi/options.ts';

interface Listed {
  readonly format: AnyFormat;
  /** What a remote may declare under the format's name. */
  readonly options?: new () => object;
}

/** Adding a format is one line here. */
const listed: readonly Listed[] = [
  { format: npm },
  { format: pypi, options: PypiOptions },
  { format: cargo },
  { format: go },
  { format: maven },
  { format: oci },
  { format: gradleCache },
  { format: debian, options: DebianOptions },
  { format: generic, options: GenericOptions },
];

export const formats: readonly AnyFormat[] = listed.map(({ format }) => format);

export const formatOptions: Readonly<Record<string, new () => object>> = Object.fromEntries(
  listed.flatMap(({ format, options }) => (options === undefined ? [] : [[format.id, options]])),
);
