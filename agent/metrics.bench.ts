import process from 'node:process';
import {createSampler} from './metrics.ts';

/** CPU milliseconds of one sample of this machine, its JSON included: DESIGN §9 allows 1. */
export function measureSampleCpuMs(sampleCount = 2000): number {
  const sampler = createSampler('/');
  let bytes = 0;
  const sample = () => {
    bytes += JSON.stringify(sampler.sample()).length;
  };
  // The first samples run in the interpreter; an agent takes thousands a day.
  for (let index = 0; index < sampleCount / 10; index++) sample();

  const before = process.cpuUsage();
  for (let index = 0; index < sampleCount; index++) sample();
  const {user, system} = process.cpuUsage(before);
  if (bytes === 0) throw new Error('Cannot measure: nothing was sampled');
  return (user + system) / 1000 / sampleCount;
}
