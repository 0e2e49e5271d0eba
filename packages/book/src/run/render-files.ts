import type { ArtefactStore } from '@rhapsode/store';
import type { RenderFiles } from '../render/port.ts';

/** A folder of the artefact store, as renderers see it. */
export const renderFiles = (artefacts: ArtefactStore, folder: string): RenderFiles => ({
  put: (name, bytes, options) => artefacts.put(`${folder}${name}`, bytes, options),
  async get(name, signal) {
    return (await artefacts.get(`${folder}${name}`, signal ? { signal } : {}))?.body;
  },
  size: async (name) => (await artefacts.head(`${folder}${name}`))?.bytes,
  delete: (name) => artefacts.delete(`${folder}${name}`),
});
