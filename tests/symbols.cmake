# cmake -DNM=<nm> -DOBJECTS=<a;b> -P symbols.cmake
#
# An inline function that kernels.cpp uses and the compiler does not inline becomes a weak symbol in
# its object file. The linker keeps one copy of a weak function for the whole program, whichever it
# meets first; the copy compiled for AVX-512 would then run on a CPU without it. So the objects for
# newer instruction sets may define none. Weak data (V, u) carry no instructions and may stay.

foreach(object IN LISTS OBJECTS)
  execute_process(COMMAND ${NM} -C --defined-only ${object}
    OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  string(REPLACE ";" "," symbols "${symbols}")
  string(REGEX MATCHALL "[^\n]* [Wi] [^\n]*" weak "${symbols}")
  list(LENGTH weak count)
  math(EXPR found "0${found} + ${count}")
  foreach(symbol IN LISTS weak)
    message("${object}: ${symbol}")
  endforeach()
endforeach()
if(found)
  message(FATAL_ERROR "${found} weak functions in kernels for newer CPUs; make them static, put "
    "them in an unnamed namespace or force them inline")
endif()
