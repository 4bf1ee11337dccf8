import type { FreshMachine } from './clients.ts';

/** Makes `dist/` with a wheel and a source distribution of a package of one module, without any build tool. */
const MAKE = `
import io, os, sys, tarfile, zipfile
name, version, says = sys.argv[1:4]
module = name.lower().replace('-', '_').replace('.', '_')
head = f'Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\nSummary: Made here\\nRequires-Python: >=3.8\\n'
os.makedirs('dist', exist_ok=True)
code = f'says = {says!r}\\n'
info = f'{module}-{version}.dist-info'
wheel = 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n'
files = {f'{module}.py': code, f'{info}/METADATA': head, f'{info}/WHEEL': wheel}
record = ''.join(f'{path},,\\n' for path in [*files, f'{info}/RECORD'])
with zipfile.ZipFile(f'dist/{module}-{version}-py3-none-any.whl', 'w', zipfile.ZIP_DEFLATED) as out:
    for path, text in {**files, f'{info}/RECORD': record}.items():
        out.writestr(zipfile.ZipInfo(path, (2026, 1, 1, 0, 0, 0)), text)
with tarfile.open(f'dist/{module}-{version}.tar.gz', 'w:gz') as out:
    for path, text in {'PKG-INFO': head, f'{module}.py': code}.items():
        entry = tarfile.TarInfo(f'{module}-{version}/{path}')
        entry.size = len(text)
        out.addfile(entry, io.BytesIO(text.encode()))
`;

export async function makePythonPackage(
  machine: FreshMachine,
  name: string,
  version: string,
  says = version,
): Promise<void> {
  await machine.succeed(['python3', '-c', MAKE, name, version, says]);
}
