import type { ArtefactStore } from './port.ts';

export interface ArtefactSettings {
  readonly dataDir: string;
  readonly s3Url?: string | undefined;
}

/** Where this installation keeps artefacts. A client for S3 is loaded only where there is one. */
export async function openArtefacts({ dataDir, s3Url }: ArtefactSettings): Promise<ArtefactStore> {
  if (s3Url !== undefined) return (await import('./s3.ts')).createS3Artefacts({ url: s3Url });
  return (await import('./fs.ts')).createFsArtefacts({ dir: dataDir });
}
