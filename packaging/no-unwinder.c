/* These replace libunwind (57 KB). Only std's own panic message would ask it for a backtrace. The agent prints one line
   of its own on a panic, and has no tables that a backtrace could be read from. */
int _Unwind_Backtrace(void) { return 5; /* _URC_END_OF_STACK */ }
unsigned long _Unwind_GetIP(void) { return 0; }
unsigned long _Unwind_GetIPInfo(void) { return 0; }
unsigned long _Unwind_GetDataRelBase(void) { return 0; }
unsigned long _Unwind_GetTextRelBase(void) { return 0; }
unsigned long _Unwind_GetRegionStart(void) { return 0; }
unsigned long _Unwind_GetLanguageSpecificData(void) { return 0; }
void _Unwind_SetGR(void) {}
void _Unwind_SetIP(void) {}
