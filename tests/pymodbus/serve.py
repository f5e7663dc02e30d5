"""Slaves by pymodbus, which shares no line with the gateway: every register holds 1000 x unit + its address; a coil is on where unit +
address is a multiple of 3, a discrete input where it is one of 5. There are 200 of each: what lies behind is refused (exception 2).

serve.py tcp PORT | rtu_over_tcp PORT | serial PATH
"""

import asyncio
import sys

from pymodbus import FramerType
from pymodbus.datastore import ModbusDeviceContext, ModbusSequentialDataBlock, ModbusServerContext
from pymodbus.server import StartAsyncSerialServer, StartAsyncTcpServer


def unit(number):
    # pymodbus counts registers from 1.
    words = ModbusSequentialDataBlock(1, [1000 * number + address for address in range(200)])
    every = lambda n: ModbusSequentialDataBlock(1, [(number + address) % n == 0 for address in range(200)])
    return ModbusDeviceContext(hr=words, ir=words, co=every(3), di=every(5))


async def main(way, where):
    context = ModbusServerContext(devices={n: unit(n) for n in (1, 2, 9)}, single=False)
    if way == "serial":
        await StartAsyncSerialServer(context, framer=FramerType.RTU, port=where, baudrate=9600)
    else:
        framer = FramerType.RTU if way == "rtu_over_tcp" else FramerType.SOCKET
        await StartAsyncTcpServer(context, framer=framer, address=("127.0.0.1", int(where)))


asyncio.run(main(*sys.argv[1:]))
