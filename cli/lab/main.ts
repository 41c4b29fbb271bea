import type {Context} from '../context.ts';

export async function runLab(context: Context): Promise<void> {
  void context;
}
