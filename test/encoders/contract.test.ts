import { openMinilmSession } from '../../router/encoders/minilm-session.ts';
import { openEncoder } from '../../router/encoders/open-encoder.ts';
import { LONG_RUN } from '../helpers/long-run.ts';
import { describeEncoderContract } from './encoder-contract.ts';
import { MINILM_FOLDER } from './minilm-folder.ts';

describeEncoderContract('static', () => openEncoder({ id: 'static' }));
describeEncoderContract('minilm in one thread', () => openEncoder({ id: 'minilm', workers: 1 }));
describeEncoderContract('minilm in the calling thread', openMinilmSession);
describeEncoderContract('transformers, mean', () =>
  openEncoder({ id: 'transformers', model: MINILM_FOLDER, workers: 2 }),
);
if (LONG_RUN) {
  describeEncoderContract('minilm in three threads', () => openEncoder({ id: 'minilm', workers: 3 }));
  describeEncoderContract('transformers, cls', () =>
    openEncoder({ id: 'transformers', model: MINILM_FOLDER, workers: 1, pooling: 'cls' }),
  );
}
