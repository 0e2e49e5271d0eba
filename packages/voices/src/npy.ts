import { RhapsodeError } from '@rhapsode/contracts';

/**
 * The floats of a NumPy array file (format 1.0 to 3.0, https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html):
 * little-endian 32-bit floats in C order, of any shape.
 */
export function readNpy(bytes: Buffer, name: string): Float32Array {
  const invalid = (problem: string) =>
    new RhapsodeError('model_invalid', { message: `the array ${name} ${problem}` });
  if (bytes.length < 12 || bytes.toString('latin1', 0, 6) !== '\x93NUMPY') throw invalid('is no NumPy array');
  const wide = bytes[6]! >= 2;
  const begin = wide ? 12 : 10;
  const end = begin + (wide ? bytes.readUInt32LE(8) : bytes.readUInt16LE(8));
  const header = bytes.toString('latin1', begin, Math.min(end, bytes.length));
  if (!/'descr':\s*'<f4'/.test(header)) throw invalid('does not hold 32-bit floats');
  if (!/'fortran_order':\s*False/.test(header)) throw invalid('is not in C order');
  const shape = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1];
  if (shape === undefined) throw invalid('has no shape');
  const length = shape
    .split(',')
    .filter((part) => part.trim() !== '')
    .reduce((product, part) => product * Number(part), 1);
  if (end + length * 4 !== bytes.length) throw invalid('has another length than its shape says');
  const floats = new Float32Array(length);
  for (let i = 0; i < length; i++) floats[i] = bytes.readFloatLE(end + i * 4);
  return floats;
}
