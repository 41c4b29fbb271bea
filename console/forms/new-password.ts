/** As users.proto declares it for every new password. */
export const passwordCharactersMin = 10;

/** What is wrong with a new password; undefined when nothing is. */
export function passwordMistake(password: string): string | undefined {
  const missing = passwordCharactersMin - password.length;
  if (missing <= 0) return undefined;
  return missing === 1 ? '1 more character is needed' : `${missing} more characters are needed`;
}
