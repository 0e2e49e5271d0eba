import { RhapsodeError } from '@rhapsode/contracts';
import { type Catalogue, openCatalogue } from '@rhapsode/voices';
import type { CliConfig } from './config.ts';

export const catalogueOptions = ({
  modelsDir,
  defaultVoice,
  espeakProgram,
  aliases,
  testVoices,
}: CliConfig) => ({
  modelsDir,
  espeakProgram,
  aliases: { default: defaultVoice, ...aliases } as Readonly<Record<string, string>>,
  testVoices,
});

/** The voices of this machine. Of one that is not there it is told where it was looked for, and which settings say so. */
export async function openVoices(config: CliConfig): Promise<Catalogue> {
  const options = catalogueOptions(config);
  const catalogue = await openCatalogue(options);
  return {
    ...catalogue,
    get(name) {
      try {
        return catalogue.get(name);
      } catch (cause) {
        if (!(cause instanceof RhapsodeError) || cause.code !== 'voice_not_found') throw cause;
        const meant = options.aliases[name];
        const setting =
          name === 'default' && meant === config.defaultVoice ? 'DEFAULT_VOICE' : 'VOICE_ALIASES';
        const alias = meant === undefined ? '' : `, which "${name}" stands for (RHAPSODE_${setting}),`;
        throw new RhapsodeError('voice_not_found', {
          message:
            `there is no voice "${meant ?? name}"${alias} in the folder ${config.modelsDir} (RHAPSODE_MODELS_DIR); ` +
            'rhapsode voices lists those that can be used',
          param: 'voice',
          cause,
        });
      }
    },
  };
}
