import type { ArtefactStore } from '@rhapsode/store';
import type { RenderFiles } from '../render/port.ts';

/** A folder of the artefact store, as renderers see it. */
export const renderFiles = (artefacts: ArtefactStore, folder: string): RenderFiles => ({
  async put(name, bytes, { contentType, signal }) {
    await artefacts.put(`${folder}${name}`, bytes, { contentType, ...(signal ? { signal } : {}) });
  },
  async get(name, signal) {
    return (await artefacts.get(`${folder}${name}`, signal ? { signal } : {}))?.body;
  },
  delete: (name) => artefacts.delete(`${folder}${name}`),
});
