import { z } from 'zod';

/** Files stay inside the voice's folder, at most one folder deeper. */
const fileName = z
  .string()
  .regex(/^(\w[\w.+@-]*\/)?\w[\w.+@-]*$/, 'must be a plain file name')
  .refine((name) => !name.includes('..'), 'must be a plain file name');

/** `voice.json` in a folder of the models directory. */
export const manifest = z.strictObject({
  /** The folder's name if it is left out. */
  id: z
    .string()
    .regex(/^[A-Za-z0-9][\w.+-]{0,99}$/)
    .optional(),
  name: z.string().max(200).optional(),
  engine: z.enum(['piper', 'kokoro']),
  licence: z.string().max(500).optional(),
  source: z.string().max(1000).optional(),
  /**
   * Of Piper: the model (`.onnx`) and its configuration (`.onnx.json`). Of Kokoro: the model, `tokenizer.json` or
   * `config.json` with the vocabulary, and styles: a `.bin` for each speaker, or one archive for all (`.bin` or `.npz`).
   */
  files: z
    .array(
      z.strictObject({
        path: fileName,
        sha256: z.string().regex(/^[0-9a-f]{64}$/),
        bytes: z.int().min(0).optional(),
        url: z.url().optional(),
      }),
    )
    .min(1)
    .max(200),
});
export type Manifest = z.infer<typeof manifest>;
