// Prints, out of the ICU of this machine, what every code point is confusable with (Unicode's confusables.txt):
// `HEX HEX...` for each that has a prototype of its own. First line: the version of Unicode. Build with -licui18n -licuuc.

#include <stdio.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uspoof.h>
#include <unicode/utf16.h>

int main(void) {
  UErrorCode status = U_ZERO_ERROR;
  USpoofChecker *checker = uspoof_open(&status);
  const UNormalizer2 *nfd = unorm2_getNFDInstance(&status);
  if (U_FAILURE(status)) {
    fprintf(stderr, "Cannot open the data: %s\n", u_errorName(status));
    return 1;
  }
  printf("%s\n", U_UNICODE_VERSION);
  for (UChar32 code_point = 0; code_point <= 0x10ffff; code_point++) {
    UChar text[2], skeleton[64];
    int32_t length = 0;
    if (U_IS_SURROGATE(code_point)) continue;
    U16_APPEND_UNSAFE(text, length, code_point);
    // What decomposes is looked up in its parts.
    if (!unorm2_isNormalized(nfd, text, length, &status)) continue;
    int32_t found = uspoof_getSkeleton(checker, 0, text, length, skeleton, 64, &status);
    if (U_FAILURE(status)) {
      fprintf(stderr, "Cannot look up U+%04X: %s\n", (unsigned)code_point, u_errorName(status));
      return 1;
    }
    if (found == length && u_memcmp(text, skeleton, length) == 0) continue;
    printf("%X", (unsigned)code_point);
    for (int32_t at = 0; at < found;) {
      UChar32 part;
      U16_NEXT(skeleton, at, found, part);
      printf(" %X", (unsigned)part);
    }
    printf("\n");
  }
  uspoof_close(checker);
  return 0;
}
