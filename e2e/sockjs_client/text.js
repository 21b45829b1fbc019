/**
 * Texts that framing, escaping or a transport could spoil, by what is special about them.
 */
export const TEXTS = {
  'the control characters': range(0x00, 0x1f),
  'the second control characters and the soft hyphen': range(0x7f, 0xad),
  'combining marks': range(0x300, 0x36f),
  'Arabic and Syriac signs': range(0x600, 0x604) + range(0x70f, 0x711),
  'Khmer vowels that are not shown': range(0x17b4, 0x17b5),
  'joiners and direction marks': range(0x200c, 0x200f),
  'line separators and direction embeddings': range(0x2028, 0x202f),
  'invisible operators': range(0x2060, 0x206f),
  'the byte order mark': `\ufeff in front, inside \ufeff and behind \ufeff`,
  'the specials, with the two that are no characters': range(0xfff0, 0xffff),
  'characters outside the first plane': `😀 𝄞 𠜎 🏳️‍🌈 👩‍👩‍👧‍👦 ${range(0x10000, 0x1003f)}${range(0x10ffc0, 0x10ffff)}`,
  'percent signs': '% 100% %41 %25 %2525 %C3%A4 %E2 %zz %u0041 a%',
  'a percent sign alone': '%',
  'JSON in JSON': JSON.stringify([JSON.stringify({ 'a"b': ['\\', '\n', null] })]),
  'quotation marks and backslashes': '"\'`\\ \\" \\\\ \\u0041 \\n /',
  'marks of HTML and of scripts': '</script><script>alert(1)</script><!-- ]]> & &amp; &#65;',
  'what looks like a frame': 'a["x"]\nc[3000,"Go away!"]\nh\no\ndata: a["y"]\r\n\r\n',
  'form data': 'd=%5B%22x%22%5D&a+b=c;d',
  'an empty text': '',
  spaces: '  \t leading and trailing \r\n ',
};

/** Every character of the first plane; surrogates are half characters. */
export const FIRST_PLANE = range(0x0000, 0xd7ff) + range(0xe000, 0xffff);

function range(first, last) {
  let text = '';
  for (let point = first; point <= last; point++) text += String.fromCodePoint(point);
  return text;
}
