/** Says to a collector that who asked for the utterance hears it, and not somebody else: see `attend` of the request store. */
export const ownerHeader = 'x-rhapsode-owner';
