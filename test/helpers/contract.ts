import {readdirSync} from 'node:fs';
import type {DescFile, DescService} from '@bufbuild/protobuf';

const folder = new URL('../../proto/gen/muster/v1/', import.meta.url);

/** Every file of the contract, as its generated code describes it. */
export async function contractFiles(): Promise<readonly DescFile[]> {
  const modules = await Promise.all(
    readdirSync(folder).map(name => import(new URL(name, folder).href) as Promise<object>),
  );
  return modules
    .flatMap(module => Object.entries(module))
    .filter(([name]) => name.startsWith('file_'))
    .map(([, file]) => file as DescFile);
}

export const contractServices = async (): Promise<readonly DescService[]> =>
  (await contractFiles()).flatMap(({services}) => services);
