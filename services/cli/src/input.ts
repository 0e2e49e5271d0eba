import { readFile, stat } from 'node:fs/promises';
import { RhapsodeError } from '@rhapsode/contracts';
import { checkText } from '@rhapsode/service';

/** `-` is standard input, the name of a file is its content, anything else is the text itself. */
export async function readText(argument: string): Promise<string> {
  const text = await textOf(argument);
  checkText(text, argument === '-' ? 'standard input' : 'the text');
  return text;
}

async function textOf(argument: string): Promise<string> {
  if (argument !== '-' && !(await isFile(argument))) return argument;
  const bytes = argument === '-' ? await readStandardInput() : await readFile(argument);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    const from = argument === '-' ? 'standard input' : argument;
    throw new RhapsodeError('invalid_encoding', { message: `${from} is not valid UTF-8 text`, cause });
  }
}

async function isFile(path: string): Promise<boolean> {
  if (path.length > 1024 || path.includes('\n')) return false;
  try {
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}

async function readStandardInput(): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
